/** The kubelet renews a token when a fifth of its life is left (pkg/kubelet/token/token_manager.go, requiresRefresh). */
const RENEW_AT = 0.8;
/** Retried at least so often, however long the life. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

/** How long to wait before a token is renewed: until 80 % of its life, less up to a tenth so that renewals spread. */
export function renewAfterMs(issuedAtMs: number, expiresAtMs: number, nowMs: number, random: () => number): number {
  const lifeMs = expiresAtMs - issuedAtMs;
  const at = issuedAtMs + lifeMs * (RENEW_AT - 0.1 * random());
  return Math.min(LONGEST_WAIT_MS, Math.max(0, at - nowMs));
}

/** When a JWT was issued and expires (RFC 7519, 4.1.4 and 4.1.6), unverified: it is our own. Undefined when it does not say. */
export function tokenTimes(token: string): { readonly issuedAtMs: number; readonly expiresAtMs: number } | undefined {
  try {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
      string,
      unknown
    >;
    const { iat, exp } = payload;
    return typeof iat === 'number' && typeof exp === 'number'
      ? { issuedAtMs: iat * 1000, expiresAtMs: exp * 1000 }
      : undefined;
  } catch {
    return undefined;
  }
}
