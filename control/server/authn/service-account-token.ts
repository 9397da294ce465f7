import { randomUUID } from 'node:crypto';
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { ServiceAccountKeys } from './service-account-keys.ts';
import { serviceAccountUser } from './user.ts';

/** Who signs: the name that Kubernetes' own API server has in a cluster. */
export const ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** Audiences that this API server is: its own name, and the one that sidecars' tokens are for. */
export const API_AUDIENCES: readonly string[] = [ISSUER, 'tutti'];

const referenceSchema = z.object({ name: z.string(), uid: z.string() });

/** What a token says, in Kubernetes' private claim (k8s.io/kubernetes/pkg/serviceaccount/claims.go). */
const claimsSchema = z.object({
  namespace: z.string(),
  serviceaccount: referenceSchema,
  pod: referenceSchema.optional(),
  node: referenceSchema.optional(),
});

export type TokenClaims = z.infer<typeof claimsSchema>;

export interface TokenOrder {
  readonly claims: TokenClaims;
  readonly audiences: readonly string[];
  readonly nowMs: number;
  readonly lifetimeSeconds: number;
}

export interface VerifiedToken extends TokenClaims {
  readonly id: string;
  readonly audiences: readonly string[];
}

const CLAIM = 'kubernetes.io';
const ALGORITHM = 'ES256';

export async function signToken(keys: ServiceAccountKeys, order: TokenOrder): Promise<string> {
  const { claims, audiences, nowMs, lifetimeSeconds } = order;
  const now = Math.floor(nowMs / 1000);
  return await new SignJWT({ [CLAIM]: claims })
    .setProtectedHeader({ alg: ALGORITHM, kid: keys.signing.keyId })
    .setIssuer(ISSUER)
    .setSubject(serviceAccountUser({ namespace: claims.namespace, name: claims.serviceaccount.name }))
    .setAudience([...audiences])
    .setIssuedAt(now)
    .setNotBefore(now)
    .setExpirationTime(now + lifetimeSeconds)
    .setJti(randomUUID())
    .sign(keys.signing.privateKey);
}

/** A token of ours, or why it is none: the reason is for the log, not for who sent it. */
export type TokenVerdict =
  | { readonly ok: true; readonly token: VerifiedToken }
  | { readonly ok: false; readonly reason: string };

/** Checks signature, issuer, time and audience; whether the account and the pod still are, the caller finds out. */
export async function verifyToken(
  keys: ServiceAccountKeys,
  text: string,
  { audiences, nowMs }: { readonly audiences: readonly string[]; readonly nowMs: number },
): Promise<TokenVerdict> {
  try {
    const { kid } = decodeProtectedHeader(text);
    const key = keys.verifying.find(({ keyId }) => keyId === kid);
    if (key === undefined) return { ok: false, reason: 'signed with a key that is not known' };
    const { payload } = await jwtVerify(text, key.publicKey, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: [...audiences],
      requiredClaims: ['exp', 'jti'],
      currentDate: new Date(nowMs),
    });
    return readPayload(payload, audiences);
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return { ok: false, reason: error.message };
    throw error;
  }
}

function readPayload(payload: JWTPayload, wanted: readonly string[]): TokenVerdict {
  const claims = claimsSchema.safeParse(payload[CLAIM]);
  if (!claims.success) return { ok: false, reason: `has no ${CLAIM} claim` };
  const audiences = [payload.aud ?? []].flat().filter((audience) => wanted.includes(audience));
  return { ok: true, token: { ...claims.data, id: payload.jti ?? '', audiences } };
}
