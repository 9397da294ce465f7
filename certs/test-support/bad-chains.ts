import type { PeerProblem } from '../workload/peer-problem.ts';
import { type Der, decode, octets, oid, sequence } from '../x509/der.ts';
import { DAY_MS, makeCertificate, makeRoot, newKey, type TestCertificate, type TestDraft } from './test-pki.ts';

/** A chain that a peer may show in a TLS handshake, and why it must be refused. */
export interface BadChain {
  readonly what: string;
  readonly reason: PeerProblem;
  /** Leaf first. */
  readonly chainPem: string;
  readonly keyPem: string;
}

const BOTH = ['serverAuth', 'clientAuth'] as const;
const NAME_CONSTRAINTS = Buffer.from('300ea00c300a86082e6d6573682e6c61', 'hex');

/** Chains below a root of trust domain `tutti.local`, each wrong in one way. `good` is sound. */
export function badChains(
  root: TestCertificate,
  nowMs: number,
): { readonly good: BadChain; readonly bad: readonly BadChain[] } {
  const id = 'spiffe://tutti.local/ns/shop/sa/catalog';
  const leaf = (change: Partial<TestDraft> = {}): TestCertificate =>
    makeCertificate({ name: 'leaf', issuer: root, nowMs, names: { uris: [id] }, purposes: BOTH, ...change });
  const middle = (change: Partial<TestDraft> = {}): TestCertificate =>
    makeCertificate({ name: 'middle', issuer: root, nowMs, authority: { pathLength: 0 }, ...change });
  const chain = (
    what: string,
    reason: PeerProblem,
    shown: TestCertificate,
    ...others: readonly TestCertificate[]
  ): BadChain => ({
    what,
    reason,
    chainPem: [shown, ...others].map(({ pem }) => pem).join(''),
    keyPem: shown.keyPem,
  });
  const below = (
    what: string,
    reason: PeerProblem,
    issuer: TestCertificate,
    ...others: readonly TestCertificate[]
  ): BadChain => chain(what, reason, leaf({ issuer }), issuer, ...others);
  const upper = middle();
  return {
    good: below('a sound leaf below an intermediate', 'untrusted', middle()),
    bad: [
      chain('expired', 'expired', leaf({ notBeforeMs: nowMs - 2 * DAY_MS, notAfterMs: nowMs - 60_000 })),
      chain('not yet valid', 'not-yet-valid', leaf({ notBeforeMs: nowMs + 60_000 })),
      chain('wrong URI', 'malformed-id', leaf({ names: { uris: ['https://tutti.local/ns/shop/sa/catalog'] } })),
      chain('several URIs', 'several-uris', leaf({ names: { uris: [id, `${id}-2`] } })),
      chain('no URI', 'no-uri', leaf({ names: { dnsNames: ['catalog.shop.svc'] } })),
      chain('wrong extended key usage', 'wrong-extended-key-usage', leaf({ purposes: ['serverAuth'] })),
      below('path length', 'path-too-long', middle({ name: 'lower', issuer: upper }), upper),
      below('name constraints', 'name-constraints', middle({ extra: [critical('2.5.29.30', NAME_CONSTRAINTS)] })),
      chain(
        'unknown critical extension',
        'unknown-critical-extension',
        leaf({ extra: [critical('1.3.6.1.4.1.99999.1', Buffer.of(5, 0))] }),
      ),
      chain('wrong key usage', 'wrong-key-usage', leaf({ usages: ['digitalSignature', 'keyCertSign'] })),
      chain(
        'another trust domain',
        'wrong-trust-domain',
        leaf({ names: { uris: ['spiffe://other.local/ns/shop/sa/catalog'] } }),
      ),
      chain('a root of another mesh', 'untrusted', leaf({ issuer: makeRoot('other.local', nowMs) })),
      chain('wrong signature', 'bad-signature', leaf({ forgedWith: newKey() })),
      chain(
        'self-signed leaf',
        'untrusted',
        makeCertificate({ name: 'self', nowMs, names: { uris: [id] }, purposes: BOTH }),
      ),
      // Node's TLS hands over no issuer that could not have issued: what is left has none.
      below('an issuer that is no CA', 'untrusted', leaf()),
    ],
  };
}

/** DER of TRUE (X.690, section 11.1). */
const TRUE = Buffer.of(1, 1, 0xff);

function critical(id: string, value: Buffer): Der {
  return sequence(oid(id), decode(TRUE), octets(value));
}
