import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openAuthority } from '../certs/authority/authority.ts';
import { createKeyAndCsr } from '../certs/workload/key-and-csr.ts';
import type { MeshIdentity } from '../certs/workload/mesh-identity.ts';
import { systemClock } from '../kit/clock.ts';
import { silentLog } from '../kit/log.ts';

/** The name that peers show and check; Tutti shows and checks SPIFFE ids. */
export const SERVER_NAME = 'bench.internal';

/** Paths of PEM files, all P-256, signed by one root. */
export interface Certificates {
  readonly ca: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  /** Certificate and key in one file, as HAProxy wants them. */
  readonly serverBoth: string;
  /** An SVID. */
  readonly clientCertificate: string;
  readonly clientKey: string;
  readonly clientBoth: string;
  /** JSON of a `MeshIdentity`: what a sidecar of Tutti has. */
  readonly identity: string;
}

export const SPIFFE_ID = 'spiffe://bench.local/ns/default/sa/bench';

/** Made anew for each run, gone with its folder. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const home = join(folder, 'certificates');
  mkdirSync(home);
  const clock = systemClock();
  const authority = await openAuthority({
    folder: join(home, 'ca'),
    trustDomain: 'bench.local',
    clock,
    log: silentLog(),
  });
  const server = authority.issueServing({ dnsNames: [SERVER_NAME], ipAddresses: ['127.0.0.1'] });
  const { csrPem, privateKeyPem } = createKeyAndCsr(SPIFFE_ID);
  const svid = authority.issueSvid({ spiffeId: SPIFFE_ID, csrPem });
  const identity: MeshIdentity = {
    generation: 1,
    spiffeId: SPIFFE_ID,
    privateKeyPem,
    trustBundlePem: authority.trustBundlePem,
    ...svid,
  };
  const write = (name: string, text: string): string => {
    const file = join(home, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  return {
    ca: write('ca.pem', authority.trustBundlePem),
    serverCertificate: write('server.pem', server.certificateChainPem),
    serverKey: write('server.key', server.privateKeyPem),
    serverBoth: write('server-both.pem', server.certificateChainPem + server.privateKeyPem),
    clientCertificate: write('client.pem', svid.certificateChainPem),
    clientKey: write('client.key', privateKeyPem),
    clientBoth: write('client-both.pem', svid.certificateChainPem + privateKeyPem),
    identity: write('identity.json', JSON.stringify(identity)),
  };
}
