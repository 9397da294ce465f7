import { z } from 'zod';
import type { ConfigMap } from '../kinds/config-map.ts';
import { INGRESS_NAMESPACE } from '../meta/well-known.ts';

/**
 * The ConfigMap in which the control plane tells of its CA: `ca.crt` has every root, `state` how far a rotation is. Agents follow it;
 * people ask for a step by its annotation.
 */
export const TRUST_BUNDLE = { namespace: INGRESS_NAMESPACE, name: 'trust-bundle' } as const;

/** Annotation on it: what is asked of the control plane, as JSON. */
export const TRUST_REQUEST = 'tutti.dev/trust-request';

const TRUST_STEPS = ['add', 'switch', 'retire', 'renew'] as const;
export type TrustStep = (typeof TRUST_STEPS)[number];

const requestSchema = z.strictObject({
  /** New for each request. */
  id: z.string().min(1).max(64),
  step: z.enum(TRUST_STEPS),
  /** Also where proxies do not carry what the step takes for granted. */
  force: z.boolean().default(false),
});
export type TrustRequest = z.infer<typeof requestSchema>;

/** A certificate as it is shown to people. */
export const shownCertificateSchema = z.object({
  spiffeId: z.string(),
  serial: z.string(),
  /** Key id of the root that signed it, in hex. */
  issuer: z.string(),
  /** RFC 3339. */
  notAfter: z.string(),
});
export type ShownCertificate = z.infer<typeof shownCertificateSchema>;

const stateSchema = z.object({
  stage: z.enum(['steady', 'distributing', 'overlap']),
  /** Rises with each step, and with each renewal that is asked for: then every identity is issued anew. */
  generation: z.int(),
  /** Key id of the root that signs, in hex. */
  issuer: z.string(),
  control: shownCertificateSchema.optional(),
  /** Of the request that was last dealt with. */
  answer: z.object({ id: z.string(), ok: z.boolean(), message: z.string() }).optional(),
});
export type TrustState = z.infer<typeof stateSchema>;

export function trustData(state: TrustState, bundlePem: string): Record<string, string> {
  return { 'ca.crt': bundlePem, state: JSON.stringify(state) };
}

/** Undefined when somebody has written what the control plane never would. */
export function readTrustState({ data }: Pick<ConfigMap, 'data'>): TrustState | undefined {
  return parsed(stateSchema, data?.['state']);
}

export function readTrustRequest({ metadata }: Pick<ConfigMap, 'metadata'>): TrustRequest | undefined {
  return parsed(requestSchema, metadata.annotations?.[TRUST_REQUEST]);
}

function parsed<T>(schema: z.ZodType<T>, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
