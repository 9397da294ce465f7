import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { needs, program } from '../../test/support/programs.ts';
import { fromPem, toPem } from './pem.ts';
import { createRequest, MAX_REQUEST_LENGTH, readRequest } from './request.ts';

const ID = 'spiffe://tutti.local/ns/shop/sa/catalog';
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const request = createRequest(ID, privateKey);
const [der = Buffer.alloc(0)] = fromPem('CERTIFICATE REQUEST', request);

test('a request says who asks, has the public key and no more of it', () => {
  const reading = readRequest(request);
  assert.ok(reading.ok);
  assert.deepEqual(reading.extensions.uris, [ID]);
  assert.equal(reading.publicKey.equals(publicKey), true);
  const secret = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
  assert.equal(secret.length, 32);
  assert.equal(der.includes(secret), false);
});

test('the longest id still fits', () => {
  const id = `spiffe://tutti.local/${'x'.repeat(2048 - 21)}`;
  const long = createRequest(id, privateKey);
  assert.ok(long.length < MAX_REQUEST_LENGTH, `${long.length} characters`);
  const reading = readRequest(long);
  assert.deepEqual(reading.ok && reading.extensions.uris, [id]);
});

test('a request with any one bit changed is refused', () => {
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.nat(7), (at, bit) => {
      const changed = Buffer.from(der);
      changed[at] = (changed[at] as number) ^ (1 << bit);
      assert.equal(readRequest(toPem('CERTIFICATE REQUEST', changed)).ok, false);
    }),
    { numRuns: 500 },
  );
});

test('every truncation of a request, and noise, is refused without an exception', () => {
  for (let length = 0; length < der.length; length++) {
    const reading = readRequest(toPem('CERTIFICATE REQUEST', der.subarray(0, length)));
    assert.equal(reading.ok ? 'accepted' : reading.problem, 'malformed');
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.equal(readRequest(toPem('CERTIFICATE REQUEST', bytes)).ok, false);
    }),
  );
});

const refused: Readonly<Record<string, [() => string, string]>> = {
  nothing: [() => '', 'malformed'],
  'text without a request': [() => 'please', 'malformed'],
  'two requests': [() => request + request, 'malformed'],
  'a request with bytes behind it': [() => toPem('CERTIFICATE REQUEST', Buffer.concat([der, der])), 'malformed'],
  'a request nested without end': [
    () => toPem('CERTIFICATE REQUEST', Buffer.from('3080'.repeat(2000), 'hex')),
    'malformed',
  ],
  'a request that is too large': [() => `${request}${' '.repeat(MAX_REQUEST_LENGTH)}`, 'too-large'],
  "another's key": [() => swapKey(), 'bad-signature'],
};
for (const [name, [make, problem]] of Object.entries(refused)) {
  test(`${name} is refused: ${problem}`, () => {
    const reading = readRequest(make());
    assert.equal(reading.ok ? 'accepted' : reading.problem, problem);
  });
}

/** The request with the public key of somebody else in it: the signature then proves nothing. */
function swapKey(): string {
  const bits = (key: typeof publicKey): Buffer => key.export({ type: 'spki', format: 'der' }).subarray(-64);
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  const changed = Buffer.from(der);
  bits(stranger).copy(changed, der.indexOf(bits(publicKey)));
  return toPem('CERTIFICATE REQUEST', changed);
}

test('OpenSSL verifies our requests, and we read its', needs('openssl'), async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-certs-'));
  const openssl = (args: readonly string[], input?: string): string =>
    execFileSync(program('openssl'), args, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
      ...(input !== undefined && { input }),
    });
  try {
    const text = openssl(['req', '-verify', '-noout', '-text'], request);
    assert.match(
      text,
      /X509v3 Subject Alternative Name: critical\n +URI:spiffe:\/\/tutti.local\/ns\/shop\/sa\/catalog/,
    );
    const curve = (name: string): string[] => ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${name}`];
    const make = ['req', '-new', '-nodes', '-keyout', 'key.pem', '-subj', '/O=Shop/CN=catalog'];
    const names = ['-addext', `subjectAltName=URI:${ID},DNS:catalog`];
    for (const [name, hash] of [
      ['P-256', '-sha256'],
      ['P-384', '-sha384'],
      ['P-256', '-sha512'],
    ] as const) {
      const reading = readRequest(openssl([...make, ...curve(name), hash, ...names]));
      assert.ok(reading.ok, JSON.stringify(reading));
      assert.deepEqual([reading.extensions.uris, reading.extensions.dnsNames], [[ID], ['catalog']]);
      const own = createPublicKey(createPrivateKey(await readFile(join(folder, 'key.pem'), 'utf8')));
      assert.equal(reading.publicKey.equals(own), true);
    }
    const bare = readRequest(openssl([...make, ...curve('P-256')]));
    assert.deepEqual(bare.ok && bare.extensions.uris, []);
    for (const kind of [['-newkey', 'rsa:2048'], curve('secp256k1'), ['-newkey', 'ed25519']]) {
      const reading = readRequest(openssl([...make, ...kind]));
      assert.equal(reading.ok ? 'accepted' : reading.problem, 'unsupported-key');
    }
    openssl(['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'plain.pem']);
    openssl(['ec', '-in', 'plain.pem', '-conv_form', 'compressed', '-out', 'compressed.pem']);
    const compressed = readRequest(openssl(['req', '-new', '-key', 'compressed.pem', '-subj', '/CN=catalog']));
    assert.equal(compressed.ok ? 'accepted' : compressed.problem, 'unsupported-key');
  } finally {
    await rm(folder, { recursive: true });
  }
});
