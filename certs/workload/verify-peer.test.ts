import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { needs, program } from '../../test/support/programs.ts';
import { DAY_MS, makeCertificate, makeRoot, newKey, signAnew, type TestDraft } from '../test-support/test-pki.ts';
import { isTrue, octets, oid, sequence } from '../x509/der.ts';
import { toPem } from '../x509/pem.ts';
import type { PeerProblem } from './peer-problem.ts';
import { PeerVerifier } from './peer-verifier.ts';
import { readTrustBundle } from './trust-bundle.ts';
import { verifyPeer, verifySpiffe } from './verify-peer.ts';

const NOW = Date.UTC(2031, 4, 1);
const ID = 'spiffe://tutti.local/ns/shop/sa/catalog';
const BOTH = ['serverAuth', 'clientAuth'] as const;

const root = makeRoot('tutti.local', NOW);
const otherRoot = makeRoot('other.example', NOW);
// Another mesh that chose the same trust domain: equal names, another key.
const namesake = makeRoot('tutti.local', NOW);
const BUNDLE_PEM = root.pem + otherRoot.pem;
const bundle = readTrustBundle(BUNDLE_PEM);

function leaf(changes: Partial<TestDraft> = {}): Buffer {
  return makeCertificate({
    name: 'leaf',
    nowMs: NOW,
    issuer: root,
    names: { uris: [ID] },
    purposes: BOTH,
    ...changes,
  }).der;
}

function middle(changes: Partial<TestDraft> = {}): ReturnType<typeof makeCertificate> {
  return makeCertificate({ name: 'middle', nowMs: NOW, issuer: root, authority: {}, ...changes });
}

function extension(id: string, value: Buffer): ReturnType<typeof sequence> {
  return sequence(oid(id), isTrue(), octets(value));
}

/** A leaf under intermediates, the last of which the root signs. */
function under(...drafts: readonly Partial<TestDraft>[]): Buffer[] {
  let issuer = root;
  const chain: Buffer[] = [];
  for (const [index, changes] of [...drafts].reverse().entries()) {
    issuer = middle({ name: `middle ${index}`, issuer, ...changes });
    chain.unshift(issuer.der);
  }
  return [leaf({ issuer }), ...chain];
}

const good: Readonly<Record<string, readonly Buffer[]>> = {
  'a leaf that the root signed': [leaf()],
  'a leaf with DNS names beside its id': [leaf({ names: { uris: [ID], dnsNames: ['catalog.shop.svc'] } })],
  'a leaf without extended key usage': [withoutPurposes()],
  'a leaf below an intermediate': under({}),
  'a leaf below an intermediate for both purposes': under({ purposes: BOTH }),
  'a leaf below three intermediates': under({}, {}, {}),
  'intermediates in any order, and some that are not needed': shuffled(),
  'a chain with its root': [...under({}), root.der],
  'an intermediate with room for one below': under({}, { authority: { pathLength: 1 } }),
};

function withoutPurposes(): Buffer {
  return makeCertificate({ name: 'leaf', nowMs: NOW, issuer: root, names: { uris: [ID] } }).der;
}

function shuffled(): Buffer[] {
  const [first, ...rest] = under({}, {}, {});
  return [first as Buffer, middle().der, ...rest.toReversed()];
}

interface BadChain {
  readonly reason: PeerProblem;
  readonly chain: readonly Uint8Array[];
  /** Where OpenSSL alone, which knows no SPIFFE, finds nothing wrong. */
  readonly opensslAccepts?: true;
}

const bad: Readonly<Record<string, BadChain>> = {
  'no certificate': { reason: 'empty-chain', chain: [] },
  'a chain of nine': {
    reason: 'chain-too-long',
    chain: Array.from({ length: 9 }, () => leaf()),
    opensslAccepts: true,
  },
  'no certificate but noise': { reason: 'malformed', chain: [Buffer.from('noise')] },
  'a leaf with bytes behind it': {
    reason: 'malformed',
    chain: [Buffer.concat([leaf(), Buffer.of(0)])],
    opensslAccepts: true,
  },
  'a leaf that has expired': {
    reason: 'expired',
    chain: [leaf({ notBeforeMs: NOW - 2 * DAY_MS, notAfterMs: NOW - 1000 })],
  },
  'a leaf that is not yet valid': { reason: 'not-yet-valid', chain: [leaf({ notBeforeMs: NOW + 1000 })] },
  'an intermediate that has expired': {
    reason: 'expired',
    chain: under({ notBeforeMs: NOW - 2 * DAY_MS, notAfterMs: NOW - 1000 }),
  },
  'an intermediate that is not yet valid': { reason: 'not-yet-valid', chain: under({ notBeforeMs: NOW + 1000 }) },
  'a stranger of another mesh': {
    reason: 'untrusted',
    chain: [leaf({ issuer: makeRoot('stranger.example', NOW) })],
  },
  'another mesh of the same trust domain': { reason: 'untrusted', chain: [leaf({ issuer: namesake })] },
  'another mesh of the same trust domain, that sends its root along': {
    reason: 'untrusted',
    chain: [leaf({ issuer: namesake }), namesake.der],
  },
  'a self-signed leaf': { reason: 'untrusted', chain: [selfSigned()] },
  'a missing intermediate': { reason: 'untrusted', chain: under({}).slice(0, 1) },
  "a leaf in the root's name, signed with another key": {
    reason: 'bad-signature',
    chain: [leaf({ forgedWith: newKey() })],
  },
  "a leaf in the intermediate's name, signed with another key": {
    reason: 'bad-signature',
    chain: (() => {
      const issuer = middle();
      return [leaf({ issuer, forgedWith: newKey() }), issuer.der];
    })(),
  },
  'a leaf signed with SHA-1': {
    reason: 'weak-signature',
    chain: [signAnew(leaf(), root.key, { oid: '1.2.840.10045.4.1', hash: 'sha1' })],
    opensslAccepts: true,
  },
  'an issuer that is no CA': { reason: 'issuer-not-authority', chain: belowLeaf() },
  'a CA that may not sign certificates': {
    reason: 'wrong-key-usage',
    chain: under({ usages: ['cRLSign'] }),
  },
  'more intermediates than one of them allows': {
    reason: 'path-too-long',
    chain: under({}, { authority: { pathLength: 0 } }),
  },
  'an intermediate for clients only': {
    reason: 'wrong-extended-key-usage',
    chain: under({ purposes: ['clientAuth'] }),
    opensslAccepts: true,
  },
  'an intermediate with name constraints': {
    reason: 'name-constraints',
    chain: under({ extra: [extension('2.5.29.30', Buffer.from('300fa00d300b86092e6d6573682e6c61', 'hex'))] }),
  },
  'an unknown critical extension': {
    reason: 'unknown-critical-extension',
    chain: [leaf({ extra: [extension('1.3.6.1.4.1.99999.1', Buffer.of(5, 0))] })],
  },
  'a CA certificate as leaf': {
    reason: 'leaf-is-authority',
    chain: [leaf({ authority: {}, usages: ['digitalSignature', 'keyCertSign'] })],
    opensslAccepts: true,
  },
  'a leaf that may sign certificates': {
    reason: 'wrong-key-usage',
    chain: [leaf({ usages: ['digitalSignature', 'keyCertSign'] })],
  },
  'a leaf that may sign revocations': {
    reason: 'wrong-key-usage',
    chain: [leaf({ usages: ['digitalSignature', 'cRLSign'] })],
    opensslAccepts: true,
  },
  'a leaf that may not sign': {
    reason: 'wrong-key-usage',
    chain: [leaf({ usages: ['keyEncipherment'] })],
    opensslAccepts: true,
  },
  'a leaf for servers only': {
    reason: 'wrong-extended-key-usage',
    chain: [leaf({ purposes: ['serverAuth'] })],
    opensslAccepts: true,
  },
  'a leaf without URI': {
    reason: 'no-uri',
    chain: [leaf({ names: { dnsNames: ['catalog.shop.svc'] } })],
    opensslAccepts: true,
  },
  'a leaf with several URIs': {
    reason: 'several-uris',
    chain: [leaf({ names: { uris: [ID, 'spiffe://tutti.local/ns/shop/sa/cart'] } })],
    opensslAccepts: true,
  },
  'a URI that is no SPIFFE id': {
    reason: 'malformed-id',
    chain: [leaf({ names: { uris: ['https://tutti.local/ns/shop/sa/catalog'] } })],
    opensslAccepts: true,
  },
  'an id without a path': {
    reason: 'malformed-id',
    chain: [leaf({ names: { uris: ['spiffe://tutti.local'] } })],
    opensslAccepts: true,
  },
  'an id that climbs': {
    reason: 'malformed-id',
    chain: [leaf({ names: { uris: ['spiffe://tutti.local/ns/../sa/catalog'] } })],
    opensslAccepts: true,
  },
  'a trusted root that speaks for another trust domain': {
    reason: 'wrong-trust-domain',
    chain: [leaf({ issuer: otherRoot })],
    opensslAccepts: true,
  },
  'an id of a trust domain that nobody here speaks for': {
    reason: 'wrong-trust-domain',
    chain: [leaf({ names: { uris: ['spiffe://elsewhere.example/ns/shop/sa/catalog'] } })],
    opensslAccepts: true,
  },
};

function selfSigned(): Buffer {
  return makeCertificate({ name: 'leaf', nowMs: NOW, names: { uris: [ID] }, purposes: BOTH }).der;
}

function belowLeaf(): Buffer[] {
  const issuer = makeCertificate({ name: 'middle', nowMs: NOW, issuer: root, names: { uris: [ID] } });
  return [leaf({ issuer }), issuer.der];
}

for (const [name, chain] of Object.entries(good)) {
  test(`${name} is accepted`, () => {
    const verdict = verifyPeer(chain, bundle, NOW);
    assert.ok(verdict.ok, JSON.stringify(verdict));
    assert.equal(verdict.spiffeId, ID);
    const pem = chain.map((der) => toPem('CERTIFICATE', der)).join('');
    assert.deepEqual(verifyPeer(pem, bundle, NOW), verdict);
  });
}

for (const [name, { chain, reason }] of Object.entries(bad)) {
  test(`${name} is refused: ${reason}`, () => {
    const verdict = verifyPeer(chain, bundle, NOW);
    assert.equal(verdict.ok ? 'accepted' : verdict.reason, reason, JSON.stringify(verdict));
  });
}

test(
  'OpenSSL accepts every chain that is accepted, and of the others only what it cannot know',
  needs('openssl'),
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'tutti-certs-'));
    try {
      writeFileSync(join(folder, 'bundle.pem'), BUNDLE_PEM);
      const verdicts = Object.entries(good).map(([name, chain]) => [name, openssl(folder, chain)]);
      assert.deepEqual(
        verdicts,
        Object.keys(good).map((name) => [name, 'accepts']),
      );
      for (const [name, { chain, opensslAccepts }] of Object.entries(bad)) {
        if (chain.length === 0) continue;
        assert.equal(openssl(folder, chain), opensslAccepts === true ? 'accepts' : 'refuses', name);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

function openssl(folder: string, chain: readonly Uint8Array[]): 'accepts' | 'refuses' {
  const [leaf, ...others] = chain.map((der) => toPem('CERTIFICATE', der));
  writeFileSync(join(folder, 'leaf.pem'), leaf ?? '');
  writeFileSync(join(folder, 'others.pem'), others.join(''));
  const untrusted = others.length === 0 ? [] : ['-untrusted', 'others.pem'];
  const time = ['-attime', `${NOW / 1000}`];
  const args = ['verify', '-x509_strict', ...time, '-CAfile', 'bundle.pem', ...untrusted, 'leaf.pem'];
  return spawnSync(program('openssl'), args, { cwd: folder }).status === 0 ? 'accepts' : 'refuses';
}

test('OpenSSL reads in a leaf what was meant', needs('openssl'), () => {
  const text = execFileSync(program('openssl'), ['x509', '-noout', '-text'], {
    input: toPem('CERTIFICATE', leaf()),
    encoding: 'utf8',
  });
  for (const wanted of [
    /Version: 3/,
    /CA:FALSE/,
    /Digital Signature\n/,
    /URI:spiffe:\/\/tutti.local\/ns\/shop\/sa\/catalog/,
  ]) {
    assert.match(text, wanted);
  }
});

test('a chain with any one bit changed is never accepted and never throws', () => {
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = under({});
  fc.assert(
    fc.property(fc.nat(first.length + second.length - 1), fc.nat(7), (at, bit) => {
      const changed = [Buffer.from(first), Buffer.from(second)] as const;
      const [target, index] = at < first.length ? [changed[0], at] : [changed[1], at - first.length];
      target[index] = (target[index] as number) ^ (1 << bit);
      assert.equal(verifyPeer(changed, bundle, NOW).ok, false);
    }),
    { numRuns: 500 },
  );
});

test('noise and truncated certificates are refused as malformed', () => {
  const whole = leaf();
  const piece = fc.nat(whole.length - 1).map((length) => whole.subarray(0, length));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), piece), (bytes) => {
      const verdict = verifyPeer([bytes], bundle, NOW);
      assert.equal(verdict.ok ? 'accepted' : verdict.reason, 'malformed');
    }),
  );
});

test('a verdict covers the time in which the whole chain is valid', () => {
  const short = { notBeforeMs: NOW - 5000, notAfterMs: NOW + 7000 };
  const verdict = verifyPeer(under(short), bundle, NOW);
  assert.ok(verdict.ok);
  assert.deepEqual([verdict.notBeforeMs, verdict.notAfterMs], [short.notBeforeMs, short.notAfterMs]);
});

test('during a change of roots, chains to the old and to the new are accepted', () => {
  const both = readTrustBundle(root.pem + namesake.pem);
  assert.equal(verifyPeer([leaf()], both, NOW).ok, true);
  assert.equal(verifyPeer([leaf({ issuer: namesake })], both, NOW).ok, true);
});

test('an accepted identity is still refused where another is expected', () => {
  const verdict = verifyPeer([leaf()], bundle, NOW);
  assert.equal(verifySpiffe(verdict, new Set(['spiffe://tutti.local/ns/shop/sa/cart', ID])), verdict);
  const refused = verifySpiffe(verdict, new Set(['spiffe://tutti.local/ns/shop/sa/cart']));
  assert.equal(refused.ok ? 'accepted' : refused.reason, 'not-allowed');
  const bad = verifyPeer([], bundle, NOW);
  assert.equal(verifySpiffe(bad, new Set([ID])), bad);
});

test('a bundle that is empty, or has a certificate that is no root of a trust domain, is refused', () => {
  assert.throws(() => readTrustBundle(''), /has 0 certificates/);
  assert.throws(() => readTrustBundle(toPem('CERTIFICATE', leaf())), /is no CA named by the SPIFFE id/);
  assert.throws(() => readTrustBundle(toPem('CERTIFICATE', Buffer.from('noise'))));
});

test('a verifier that remembers answers as one that does not, over time and over bundles', () => {
  const verifier = new PeerVerifier();
  const brief = [leaf({ notAfterMs: NOW + 5000 })];
  const check = (chain: readonly Buffer[], pem: string, nowMs: number): void => {
    for (let turn = 0; turn < 2; turn++) {
      assert.deepEqual(verifier.verify(chain, pem, nowMs), verifyPeer(chain, readTrustBundle(pem), nowMs));
    }
  };
  check(brief, BUNDLE_PEM, NOW);
  check(brief, BUNDLE_PEM, NOW + 6000);
  check(brief, BUNDLE_PEM, NOW - 10 * DAY_MS);
  check(brief, namesake.pem, NOW);
  check(brief, BUNDLE_PEM, NOW);
  check([], BUNDLE_PEM, NOW);
  check(bad['a leaf that has expired']?.chain as Buffer[], BUNDLE_PEM, NOW);
});
