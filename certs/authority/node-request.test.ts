import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '../../kit/fake-clock.ts';
import { silentLog } from '../../kit/log.ts';
import { needs, program } from '../../test/support/programs.ts';
import { createKeyAndCsr } from '../workload/key-and-csr.ts';
import { readCertificate } from '../x509/certificate.ts';
import { fromPem, toPem } from '../x509/pem.ts';
import { type Authority, openAuthority } from './authority.ts';
import { type IssueProblem, IssueRefusedError } from './refusal.ts';

const ID = 'spiffe://tutti.local/tutti/agent/node-2';
const NOW = Date.UTC(2030, 0, 1);
const DAY_MS = 86_400_000;
let folder: string;
let authority: Authority;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tutti-node-'));
  authority = await openAuthority({
    folder: join(folder, 'ca'),
    trustDomain: 'tutti.local',
    clock: new FakeClock(NOW),
    log: silentLog(),
  });
});
after(() => rm(folder, { recursive: true }));

test("a node's certificate says who it is to the API server and to the mesh, and nothing of a host", () => {
  const { csrPem, privateKeyPem } = createKeyAndCsr(ID);
  const issued = authority.issueNode({ csrPem, node: 'node-2' });
  const certificate = new X509Certificate(issued.certificateChainPem);
  assert.equal(certificate.subject, 'O=system:nodes\nCN=system:node:node-2');
  assert.equal(certificate.subjectAltName, `URI:${ID}`);
  assert.equal(certificate.ca, false);
  assert.equal(certificate.checkPrivateKey(createPrivateKey(privateKeyPem)), true);
  const { purposes, keyUsage } = readCertificate(certificate.raw).extensions;
  assert.deepEqual([purposes, keyUsage], [new Set(['serverAuth', 'clientAuth']), new Set(['digitalSignature'])]);
  assert.equal(issued.notAfterMs, NOW + 30 * DAY_MS);
  const long = authority.issueNode({ csrPem, node: 'node-2', ttlSeconds: 10 * 365 * 86_400 });
  assert.equal(long.notAfterMs, NOW + 365 * DAY_MS);
  assert.equal(long.keyHash, issued.keyHash);
});

/** A request made by OpenSSL: subject, what comes after it, and the kind of key. */
function opensslRequest(
  subject: string,
  more: readonly string[] = [],
  key = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
) {
  const args = ['req', '-new', '-nodes', '-keyout', 'key.pem', '-newkey', ...key, '-subj', subject, ...more];
  return execFileSync(program('openssl'), args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

const OWN = '/O=system:nodes/CN=system:node:node-2';
const extension = (text: string): string[] => ['-addext', text];

test(
  'a request of OpenSSL that says who the node is gets its certificate, and openssl verify takes it',
  needs('openssl'),
  async () => {
    const csrPem = opensslRequest(OWN, [
      ...extension(`subjectAltName=URI:${ID}`),
      ...extension('basicConstraints=critical,CA:FALSE'),
      ...extension('extendedKeyUsage=serverAuth,clientAuth'),
    ]);
    const { certificateChainPem } = authority.issueNode({ csrPem, node: 'node-2' });
    await writeFile(join(folder, 'node.pem'), certificateChainPem);
    const own = createPublicKey(createPrivateKey(await readFile(join(folder, 'key.pem'), 'utf8')));
    assert.equal(new X509Certificate(certificateChainPem).publicKey.equals(own), true);
    for (const purpose of ['sslclient', 'sslserver']) {
      const args = [
        'verify',
        '-x509_strict',
        '-attime',
        `${NOW / 1000}`,
        '-CAfile',
        'ca/ca.crt',
        '-purpose',
        purpose,
        'node.pem',
      ];
      assert.equal(execFileSync(program('openssl'), args, { cwd: folder, encoding: 'utf8' }), 'node.pem: OK\n');
    }
  },
);

const P256 = undefined;
const attacks: readonly (readonly [what: string, () => string, reason: IssueProblem, says: RegExp])[] = [
  [
    "another node's name",
    () => opensslRequest('/O=system:nodes/CN=system:node:node-1'),
    'wrong-identity',
    /CN="system:node:node-1"/,
  ],
  [
    'the group of administrators',
    () => opensslRequest('/O=system:masters/CN=system:node:node-2'),
    'wrong-identity',
    /O="system:masters"/,
  ],
  ['a second group', () => opensslRequest(`/O=system:masters${OWN}`), 'wrong-identity', /O="system:masters"/],
  ['a second name', () => opensslRequest(`${OWN}/CN=admin`), 'wrong-identity', /CN="admin"/],
  ['a unit of an organization', () => opensslRequest(`${OWN}/OU=x`), 'wrong-identity', /2\.5\.4\.11="x"/],
  [
    "another node's SPIFFE id",
    () => createKeyAndCsr('spiffe://tutti.local/tutti/agent/node-1').csrPem,
    'wrong-identity',
    /agent\/node-1/,
  ],
  [
    "the control plane's SPIFFE id",
    () => createKeyAndCsr('spiffe://tutti.local/tutti/control').csrPem,
    'wrong-identity',
    /tutti\/control/,
  ],
  [
    "a workload's SPIFFE id",
    () => createKeyAndCsr('spiffe://tutti.local/ns/shop/sa/cart').csrPem,
    'wrong-identity',
    /sa\/cart/,
  ],
  [
    'a host name',
    () => opensslRequest(OWN, extension('subjectAltName=DNS:kubernetes')),
    'wrong-identity',
    /"kubernetes"/,
  ],
  [
    "the API server's address",
    () => opensslRequest(OWN, extension('subjectAltName=IP:127.0.0.1')),
    'wrong-identity',
    /an address/,
  ],
  [
    'a mailbox beside its own id',
    () => opensslRequest(OWN, extension(`subjectAltName=URI:${ID},email:a@b.c`)),
    'wrong-identity',
    /another kind of name/,
  ],
  [
    'to be a CA',
    () => opensslRequest(OWN, extension('basicConstraints=critical,CA:TRUE')),
    'too-much',
    /certificate authority/,
  ],
  [
    'to sign certificates',
    () => opensslRequest(OWN, extension('keyUsage=keyCertSign')),
    'too-much',
    /certificate authority/,
  ],
  [
    'any purpose',
    () => opensslRequest(OWN, extension('extendedKeyUsage=anyExtendedKeyUsage')),
    'too-much',
    /any purpose/,
  ],
  [
    'an extension of its own',
    () => opensslRequest(OWN, extension('1.2.3.4=ASN1:UTF8String:x')),
    'too-much',
    /extension 1\.2\.3\.4/,
  ],
  ['an RSA key of 1,024 bits', () => opensslRequest(OWN, [], ['rsa:1024']), 'unsupported-key', /P-256/],
  ['an RSA key of 2,048 bits', () => opensslRequest(OWN, [], ['rsa:2048']), 'unsupported-key', /P-256/],
  [
    'a signature that is not its own',
    () => spoilt(opensslRequest(OWN, [], P256)),
    'bad-signature',
    /not signed with the key/,
  ],
  ['noise', () => toPem('CERTIFICATE REQUEST', Buffer.from('noise')), 'malformed', /DER/],
  ['8 KiB and one', () => 'x'.repeat(8193), 'too-large', /8193 characters/],
];
for (const [what, make, reason, says] of attacks) {
  test(`a node's request for ${what} is refused: ${reason}`, needs('openssl'), () => {
    const csrPem = make();
    assert.throws(
      () => authority.issueNode({ csrPem, node: 'node-2' }),
      (error) => {
        assert.ok(error instanceof IssueRefusedError, String(error));
        assert.equal(error.reason, reason);
        assert.match(error.message, says);
        return true;
      },
    );
  });
}

/** With the last bit of its signature turned. */
function spoilt(pem: string): string {
  const [der = Buffer.alloc(0)] = fromPem('CERTIFICATE REQUEST', pem);
  const changed = Buffer.from(der);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  return toPem('CERTIFICATE REQUEST', changed);
}

test('whatever is done to a request, it gets no certificate for other than its own key and name', () => {
  const { csrPem } = createKeyAndCsr(ID);
  const [der = Buffer.alloc(0)] = fromPem('CERTIFICATE REQUEST', csrPem);
  const { keyHash } = authority.issueNode({ csrPem, node: 'node-2' });
  const flip = (bytes: Uint8Array, at: number, bit: number): Buffer => {
    const changed = Buffer.from(bytes);
    changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ (1 << bit);
    return changed;
  };
  const place = fc.tuple(fc.nat(der.length), fc.nat(7));
  const mutated = fc.oneof(
    fc.nat(der.length - 1).map((length) => toPem('CERTIFICATE REQUEST', der.subarray(0, length))),
    fc.array(place, { minLength: 1, maxLength: 4 }).map((all) =>
      toPem(
        'CERTIFICATE REQUEST',
        all.reduce<Buffer>((bytes, [at, bit]) => flip(bytes, at, bit), der),
      ),
    ),
    fc
      .tuple(fc.nat(der.length), fc.uint8Array({ maxLength: 40 }))
      .map(([at, bytes]) =>
        toPem('CERTIFICATE REQUEST', Buffer.concat([der.subarray(0, at), bytes, der.subarray(at)])),
      ),
    fc
      .tuple(fc.nat(csrPem.length), fc.nat(7))
      .map(([at, bit]) => flip(Buffer.from(csrPem, 'latin1'), at, bit).toString('latin1')),
  );
  fc.assert(
    fc.property(mutated, (pem) => {
      try {
        const issued = authority.issueNode({ csrPem: pem, node: 'node-2' });
        assert.equal(issued.keyHash, keyHash);
        const { subject, subjectAltName } = new X509Certificate(issued.certificateChainPem);
        assert.deepEqual([subject, subjectAltName], ['O=system:nodes\nCN=system:node:node-2', `URI:${ID}`]);
      } catch (error) {
        if (!(error instanceof IssueRefusedError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});
