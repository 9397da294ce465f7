import { z } from 'zod';

/**
 * What a proxy is told at its start, as a JSON file (`tutti proxy --bootstrap FILE`). The agent writes the same shape
 * and does not import this file: agent/sidecar/ has its own writer, and a test in test/ holds the two together.
 */
export const bootstrapSchema = z.strictObject({
  mode: z.enum(['sidecar', 'ingress']),
  /** `sidecar/<namespace>/<pod>` or `ingress/<namespace>/<name>`. */
  nodeId: z.string().min(1),
  namespace: z.string().min(1),
  /** The pod, or the ingress proxy's name. */
  name: z.string().min(1),
  serviceAccount: z.string().min(1),
  trustDomain: z.string().min(1),
  /** The pod's own address; outbound listeners bind on it. Empty for an ingress. */
  podAddress: z.string(),
  api: z.strictObject({
    /** `https://127.0.0.1:6443` */
    server: z.url(),
    caFile: z.string(),
    /** Service-account token; read anew at each use, because the agent renews it. */
    tokenFile: z.string(),
  }),
  /** `127.0.0.1:6444` */
  xdsAddress: z.string(),
  admin: z.strictObject({ address: z.string(), port: z.int() }),
  /** Last good configuration and such; made when missing. */
  stateFolder: z.string(),
  svidTtlSeconds: z.int().optional(),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
});

export type Bootstrap = z.infer<typeof bootstrapSchema>;
