/** Why a peer's certificate is refused: the value of log lines and of a metric's label. */
export type PeerProblem =
  /** No certificate was shown, or more than a chain may have. */
  | 'empty-chain'
  | 'chain-too-long'
  /** Not X.509 version 3 in DER, or an extension in it is broken. */
  | 'malformed'
  | 'not-yet-valid'
  | 'expired'
  /** No root of the bundle stands at the chain's end. */
  | 'untrusted'
  /** It says that a known key signed it, and that key did not. */
  | 'bad-signature'
  /** Signed by an algorithm that is no longer safe. */
  | 'weak-signature'
  /** Something in the chain that issues is not allowed to. */
  | 'issuer-not-authority'
  | 'path-too-long'
  | 'name-constraints'
  | 'unknown-critical-extension'
  /** The peer shows a CA certificate as its own. */
  | 'leaf-is-authority'
  | 'wrong-key-usage'
  | 'wrong-extended-key-usage'
  | 'no-uri'
  | 'several-uris'
  | 'malformed-id'
  | 'wrong-trust-domain'
  /** A sound identity, but not one that is expected here. */
  | 'not-allowed';

/** What verification of a peer comes to. */
export type PeerVerdict =
  | {
      readonly ok: true;
      readonly spiffeId: string;
      /** The time in which the whole chain is valid. */
      readonly notBeforeMs: number;
      readonly notAfterMs: number;
    }
  | {
      readonly ok: false;
      readonly reason: PeerProblem;
      /** For people. */
      readonly detail: string;
    };

export function refuse(reason: PeerProblem, detail: string): PeerVerdict & { readonly ok: false } {
  return { ok: false, reason, detail };
}
