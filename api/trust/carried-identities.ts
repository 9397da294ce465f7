import { z } from 'zod';
import type { Node } from '../kinds/node.ts';
import { shownCertificateSchema } from './trust-bundle.ts';

/** Annotation on a Node: who runs there, by which certificate, under which generation of trust. Written by its agent. */
export const CARRIED_IDENTITIES = 'tutti.dev/identities';

const identitySchema = z.object({
  ...shownCertificateSchema.shape,
  /** `pod/<namespace>/<name>` or `ingress`. */
  name: z.string(),
  /** Of the trust bundle and the issuer that its proxy uses; 0 before it uses any. */
  generation: z.int(),
  /** Whether a proxy shows it to others. */
  isProxy: z.boolean(),
});
export type CarriedIdentity = z.infer<typeof identitySchema>;

const carriedSchema = z.object({
  /** The agent has followed the control plane up to here. */
  generation: z.int(),
  agent: shownCertificateSchema.optional(),
  identities: z.array(identitySchema),
});
export type CarriedIdentities = z.infer<typeof carriedSchema>;

/** Undefined when the agent has said nothing yet. */
export function readCarried({ metadata }: Pick<Node, 'metadata'>): CarriedIdentities | undefined {
  try {
    return carriedSchema.safeParse(JSON.parse(metadata.annotations?.[CARRIED_IDENTITIES] ?? '')).data;
  } catch {
    return undefined;
  }
}

export interface Carrying {
  /** Agents and proxies. */
  readonly total: number;
  readonly carried: number;
  /** Those that do not carry it yet, by name. */
  readonly waiting: readonly string[];
}

/** How many agents and proxies carry a generation of trust. A Node of which no agent has ever spoken counts while it is Ready. */
export function carryingOf(nodes: readonly Node[], generation: number): Carrying {
  const waiting: string[] = [];
  let total = 0;
  for (const node of nodes) {
    const { name } = node.metadata;
    const carried = readCarried(node);
    const isReady = node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
    if (carried === undefined && !isReady) continue;
    total += 1;
    if ((carried?.generation ?? 0) < generation) waiting.push(`agent of node ${name}`);
    for (const identity of carried?.identities ?? []) {
      if (!identity.isProxy) continue;
      total += 1;
      if (identity.generation < generation)
        waiting.push(identity.name === 'ingress' ? `ingress of node ${name}` : identity.name);
    }
  }
  return { total, carried: total - waiting.length, waiting };
}
