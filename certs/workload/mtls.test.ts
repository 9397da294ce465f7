import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { type Authority, openAuthority } from '../authority/authority.ts';
import { createKeyAndCsr } from './key-and-csr.ts';
import { peerChain } from './peer-chain.ts';
import type { PeerVerdict } from './peer-problem.ts';
import { PeerVerifier } from './peer-verifier.ts';

const SERVER = 'spiffe://tutti.local/ns/shop/sa/catalog';
const CLIENT = 'spiffe://tutti.local/ns/shop/sa/web';

interface Side {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

async function authority(context: TestContext): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-certs-'));
  context.after(() => rm(folder, { recursive: true }));
  return openAuthority({ folder, trustDomain: 'tutti.local', clock: systemClock(), log: silentLog() });
}

function side(issuer: Authority, spiffeId: string): Side {
  const { privateKeyPem, csrPem } = createKeyAndCsr(spiffeId);
  const { certificateChainPem } = issuer.issueSvid({ csrPem, spiffeId });
  return { key: privateKeyPem, cert: certificateChainPem, ca: issuer.trustBundlePem };
}

function judge(socket: TLSSocket, ca: string): PeerVerdict {
  return new PeerVerifier().verify(peerChain(socket), ca, Date.now());
}

/** One connection, judged by us on both sides; what Node itself makes of the chains is told beside. */
async function handshake(server: Side, client: Partial<Side>): Promise<Record<'server' | 'client', string>> {
  const said = (socket: TLSSocket, ca: string): string => {
    const verdict = judge(socket, ca);
    return `${socket.getProtocol()} ${verdict.ok ? verdict.spiffeId : verdict.reason} ${socket.authorized}`;
  };
  const listener = createServer({ ...server, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  try {
    const accepted = once(listener, 'secureConnection') as Promise<[TLSSocket]>;
    const socket = connect({
      ...client,
      host: '127.0.0.1',
      port: (listener.address() as AddressInfo).port,
      servername: '8080.port.tutti.internal',
      rejectUnauthorized: false,
      // The name asked for says which port is meant, not who answers: the SPIFFE id says that.
      checkServerIdentity: () => undefined,
    });
    const [[peer]] = await Promise.all([accepted, once(socket, 'secureConnect')]);
    const both = { server: said(peer, server.ca), client: said(socket, client.ca ?? '') };
    socket.destroy();
    peer.destroy();
    return both;
  } finally {
    listener.close();
  }
}

test('two workloads speak TLS 1.3 and each knows who the other is, to Node as to us', async (context) => {
  const mesh = await authority(context);
  assert.deepEqual(await handshake(side(mesh, SERVER), side(mesh, CLIENT)), {
    server: `TLSv1.3 ${CLIENT} true`,
    client: `TLSv1.3 ${SERVER} true`,
  });
});

test('another mesh of the same name is refused on both sides', async (context) => {
  const [mesh, other] = [await authority(context), await authority(context)];
  assert.deepEqual(await handshake(side(mesh, SERVER), side(other, CLIENT)), {
    server: 'TLSv1.3 untrusted false',
    client: 'TLSv1.3 untrusted false',
  });
});

test('a client without a certificate is refused', async (context) => {
  const mesh = await authority(context);
  const { server } = await handshake(side(mesh, SERVER), { ca: mesh.trustBundlePem });
  assert.equal(server, 'TLSv1.3 empty-chain false');
});

test('a client certificate of a person is no identity of the mesh', async (context) => {
  const mesh = await authority(context);
  const { privateKeyPem, certificateChainPem } = mesh.issueClient({ user: 'admin', groups: ['system:masters'] });
  const person = { key: privateKeyPem, cert: certificateChainPem, ca: mesh.trustBundlePem };
  const { server } = await handshake(side(mesh, SERVER), person);
  assert.equal(server, 'TLSv1.3 wrong-extended-key-usage true');
});
