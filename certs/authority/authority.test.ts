import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../kit/fake-clock.ts';
import { silentLog } from '../../kit/log.ts';
import { needs, program } from '../../test/support/programs.ts';
import { createKeyAndCsr } from '../workload/key-and-csr.ts';
import { readTrustBundle } from '../workload/trust-bundle.ts';
import { verifyPeer } from '../workload/verify-peer.ts';
import { type Authority, openAuthority, type SvidRequest } from './authority.ts';
import { AuthorityRefusedError, type IssueProblem, IssueRefusedError } from './refusal.ts';

const ID = 'spiffe://tutti.local/ns/shop/sa/catalog';
const NOW = Date.UTC(2030, 0, 1);
const DAY_MS = 86_400_000;

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-certs-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

function open(folder: string, clock = new FakeClock(NOW), trustDomain = 'tutti.local'): Promise<Authority> {
  return openAuthority({ folder, trustDomain, clock, log: silentLog() });
}

test('a first start makes a root whose key nobody else can read, and later starts keep it', async (context) => {
  const folder = join(await temporaryFolder(context), 'state', 'ca');
  const first = await open(folder);
  assert.deepEqual((await readdir(folder)).sort(), ['ca.crt', 'ca.key']);
  assert.equal((await stat(join(folder, 'ca.key'))).mode & 0o777, 0o600);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  assert.equal((await open(folder)).trustBundlePem, first.trustBundlePem);
  const root = new X509Certificate(first.trustBundlePem);
  assert.equal(root.subjectAltName, 'URI:spiffe://tutti.local');
  assert.equal(root.ca, true);
  assert.equal(root.verify(root.publicKey), true);
  assert.equal(Math.round((root.validToDate.getTime() - NOW) / DAY_MS), 3650);
});

test('a crash between key and certificate loses nothing', async (context) => {
  const folder = await temporaryFolder(context);
  await open(folder);
  const key = await readFile(join(folder, 'ca.key'), 'utf8');
  await rm(join(folder, 'ca.crt'));
  const again = await open(folder);
  assert.equal(await readFile(join(folder, 'ca.key'), 'utf8'), key);
  assert.equal(new X509Certificate(again.trustBundlePem).checkPrivateKey(createPrivateKey(key)), true);
});

interface BadFolder {
  readonly spoil: (folder: string) => Promise<void>;
  readonly reason: string;
  readonly wayBack: RegExp;
  readonly nowMs?: number;
  readonly trustDomain?: string;
}

const badFolders: Readonly<Record<string, BadFolder>> = {
  'a key that others may read': {
    spoil: (folder) => chmod(join(folder, 'ca.key'), 0o640),
    reason: 'open-permissions',
    wayBack: /ca.key": has mode 640, 600 is wanted; run "chmod 600 .*ca.key"/,
  },
  'a folder that others may write': {
    spoil: (folder) => chmod(folder, 0o777),
    reason: 'open-permissions',
    wayBack: /has mode 777, others may write it; run "chmod 700 /,
  },
  'a certificate without its key': {
    spoil: (folder) => rm(join(folder, 'ca.key')),
    reason: 'missing-key',
    wayBack: /ca.key": is missing .* put it back from a backup, or remove /,
  },
  'a key that is none': {
    spoil: (folder) => writeFile(join(folder, 'ca.key'), 'noise'),
    reason: 'unreadable',
    wayBack: /holds no P-256 private key in PEM .* put it back from a backup/,
  },
  'a key on another curve': {
    spoil: async (folder) => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
      await writeFile(join(folder, 'ca.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    },
    reason: 'unreadable',
    wayBack: /holds no P-256 private key/,
  },
  'a certificate that is none': {
    spoil: (folder) => writeFile(join(folder, 'ca.crt'), 'noise'),
    reason: 'unreadable',
    wayBack: /ca.crt": holds no certificate in PEM/,
  },
  'a key of another certificate': {
    spoil: async (folder) => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      await writeFile(join(folder, 'ca.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    },
    reason: 'mismatched-key',
    wayBack: /ca.key is not the key of ca.crt; put the pair back from one backup/,
  },
  'an authority of another trust domain': {
    spoil: () => Promise.resolve(),
    trustDomain: 'other.example',
    reason: 'wrong-trust-domain',
    wayBack: /is of "spiffe:\/\/tutti.local", "spiffe:\/\/other.example" is wanted/,
  },
  'an authority that has expired': {
    spoil: () => Promise.resolve(),
    nowMs: NOW + 3651 * DAY_MS,
    reason: 'expired',
    wayBack: /has expired at .*; remove the folder to make a new authority/,
  },
};

for (const [name, { spoil, reason, wayBack, nowMs, trustDomain }] of Object.entries(badFolders)) {
  test(`${name} is refused with the way back: ${reason}`, async (context) => {
    const folder = join(await temporaryFolder(context), 'ca');
    await open(folder);
    await spoil(folder);
    const before = await readdir(folder);
    await assert.rejects(open(folder, new FakeClock(nowMs ?? NOW), trustDomain), (error) => {
      assert.ok(error instanceof AuthorityRefusedError, String(error));
      assert.equal(error.reason, reason);
      assert.match(error.message, wayBack);
      return true;
    });
    assert.deepEqual(await readdir(folder), before, 'nothing is added');
  });
}

test('a trust domain that is no host name is refused', async (context) => {
  await assert.rejects(open(await temporaryFolder(context), new FakeClock(NOW), 'Tutti Local'), /lower-case letters/);
});

test('an SVID has the asked-for key, lives as long as asked and is accepted by peers', async (context) => {
  const authority = await open(await temporaryFolder(context));
  const { csrPem, privateKeyPem } = createKeyAndCsr(ID);
  const issued = authority.issueSvid({ csrPem, spiffeId: ID, ttlSeconds: 600 });
  assert.deepEqual([issued.notBeforeMs, issued.notAfterMs], [NOW - 60_000, NOW + 600_000]);
  const certificate = new X509Certificate(issued.certificateChainPem);
  assert.equal(certificate.checkPrivateKey(createPrivateKey(privateKeyPem)), true);
  assert.deepEqual(verifyPeer(issued.certificateChainPem, readTrustBundle(authority.trustBundlePem), NOW), {
    ok: true,
    spiffeId: ID,
    notBeforeMs: issued.notBeforeMs,
    notAfterMs: issued.notAfterMs,
  });
  const day = authority.issueSvid({ publicKey: certificate.publicKey, spiffeId: ID });
  assert.equal(day.notAfterMs, NOW + DAY_MS);
});

test('serial numbers have 16 bytes, are positive and never come twice', async (context) => {
  const authority = await open(await temporaryFolder(context));
  const { csrPem } = createKeyAndCsr(ID);
  const serials = Array.from({ length: 500 }, () => {
    const { certificateChainPem } = authority.issueSvid({ csrPem, spiffeId: ID });
    return new X509Certificate(certificateChainPem).serialNumber;
  });
  assert.equal(new Set(serials).size, 500);
  for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
});

test('a long life is cut to a week, and none outlives the root', async (context) => {
  const folder = await temporaryFolder(context);
  const clock = new FakeClock(NOW);
  const authority = await open(folder, clock);
  const { csrPem } = createKeyAndCsr(ID);
  const long = authority.issueSvid({ csrPem, spiffeId: ID, ttlSeconds: 365 * 86_400 });
  assert.equal(long.notAfterMs, NOW + 7 * DAY_MS);
  await clock.advance(3650 * DAY_MS - 3600_000);
  const last = authority.issueSvid({ csrPem, spiffeId: ID });
  assert.equal(last.notAfterMs, new X509Certificate(authority.trustBundlePem).validToDate.getTime());
});

const { csrPem: ownRequest } = createKeyAndCsr(ID);
const refusals: Readonly<Record<string, { readonly asked: SvidRequest; readonly reason: IssueProblem }>> = {
  'an id of another trust domain': {
    asked: { csrPem: ownRequest, spiffeId: 'spiffe://other.example/ns/shop/sa/catalog' },
    reason: 'invalid-identity',
  },
  'an id without a path': {
    asked: { csrPem: ownRequest, spiffeId: 'spiffe://tutti.local' },
    reason: 'invalid-identity',
  },
  'no id': { asked: { csrPem: ownRequest, spiffeId: 'catalog' }, reason: 'invalid-identity' },
  "a request for another's id": {
    asked: { csrPem: ownRequest, spiffeId: 'spiffe://tutti.local/ns/shop/sa/cart' },
    reason: 'wrong-identity',
  },
  'a life of seconds': { asked: { csrPem: ownRequest, spiffeId: ID, ttlSeconds: 9 }, reason: 'invalid-ttl' },
  'a life of no number': { asked: { csrPem: ownRequest, spiffeId: ID, ttlSeconds: Number.NaN }, reason: 'invalid-ttl' },
  'a life of part of a second': {
    asked: { csrPem: ownRequest, spiffeId: ID, ttlSeconds: 60.5 },
    reason: 'invalid-ttl',
  },
  'a request that is none': { asked: { csrPem: 'noise', spiffeId: ID }, reason: 'malformed' },
  'a request that is too large': { asked: { csrPem: 'x'.repeat(8193), spiffeId: ID }, reason: 'too-large' },
  'a key of another kind': {
    asked: { publicKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey, spiffeId: ID },
    reason: 'unsupported-key',
  },
};
for (const [name, { asked, reason }] of Object.entries(refusals)) {
  test(`${name} is refused: ${reason}`, async (context) => {
    const authority = await open(await temporaryFolder(context));
    assert.throws(
      () => authority.issueSvid(asked),
      (error) => error instanceof IssueRefusedError && error.reason === reason,
    );
  });
}

test('OpenSSL verifies what is issued and reads in it what was meant', needs('openssl'), async (context) => {
  const folder = await temporaryFolder(context);
  const authority = await open(folder);
  const openssl = (args: readonly string[], input?: string): string =>
    execFileSync(program('openssl'), args, { cwd: folder, encoding: 'utf8', ...(input !== undefined && { input }) });
  const issued = {
    svid: authority.issueSvid({ csrPem: createKeyAndCsr(ID).csrPem, spiffeId: ID }),
    serving: authority.issueServing({
      dnsNames: ['localhost', 'tutti.default.svc'],
      ipAddresses: ['127.0.0.1', '::1', '2001:db8::ff00:42:8329', '::ffff:10.1.2.3'],
      spiffeId: 'spiffe://tutti.local/tutti/control',
    }),
    client: authority.issueClient({ user: 'system:node:one', groups: ['system:nodes', 'extra'] }),
  };
  for (const [name, { certificateChainPem }] of Object.entries(issued)) {
    await writeFile(join(folder, `${name}.pem`), certificateChainPem);
  }
  const verify = ['verify', '-x509_strict', '-attime', `${NOW / 1000}`, '-CAfile', 'ca.crt', '-purpose'];
  assert.equal(openssl([...verify, 'sslserver', 'svid.pem', 'serving.pem']), 'svid.pem: OK\nserving.pem: OK\n');
  assert.equal(openssl([...verify, 'sslclient', 'svid.pem', 'client.pem']), 'svid.pem: OK\nclient.pem: OK\n');

  const text = (pem: string): string => openssl(['x509', '-noout', '-text'], pem);
  const svid = text(issued.svid.certificateChainPem);
  assert.match(svid, /Subject: *\n/);
  assert.match(
    svid,
    /X509v3 Subject Alternative Name: critical\n +URI:spiffe:\/\/tutti.local\/ns\/shop\/sa\/catalog\n/,
  );
  assert.match(svid, /X509v3 Basic Constraints: critical\n +CA:FALSE/);
  assert.match(svid, /X509v3 Key Usage: critical\n +Digital Signature\n/);
  assert.match(svid, /TLS Web Server Authentication, TLS Web Client Authentication/);
  assert.match(svid, /Signature Algorithm: ecdsa-with-SHA256/);
  const serving = text(issued.serving.certificateChainPem);
  assert.match(serving, /URI:spiffe:\/\/tutti.local\/tutti\/control, DNS:localhost, DNS:tutti.default.svc/);
  assert.match(serving, /IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:0:FF00:42:8329/);
  assert.match(serving, /IP Address:0:0:0:0:0:FFFF:A01:203/);
  const client = text(issued.client.certificateChainPem);
  assert.match(client, /Subject: O ?= ?system:nodes, O ?= ?extra, CN ?= ?system:node:one/);
  assert.match(client, /Extended Key Usage: *\n +TLS Web Client Authentication\n/);
  const root = text(authority.trustBundlePem);
  assert.match(root, /CA:TRUE, pathlen:0/);
  assert.match(root, /X509v3 Key Usage: critical\n +Certificate Sign, CRL Sign\n/);
});
