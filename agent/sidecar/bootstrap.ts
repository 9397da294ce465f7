import type { WorkloadIdentity } from '../identity/workload-identity.ts';
import type { ProxySettings } from './proxy-settings.ts';

/**
 * What a proxy is told at its start (`tutti proxy --bootstrap FILE`). The same shape as proxy/bootstrap/bootstrap.ts, which
 * the agent may not import; a test in test/ holds the two together.
 */
export interface ProxyBootstrap {
  readonly mode: 'sidecar' | 'ingress';
  /** `sidecar/<namespace>/<pod>` or `ingress/<namespace>/<name>`. */
  readonly nodeId: string;
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount: string;
  readonly trustDomain: string;
  /** Empty for an ingress. */
  readonly podAddress: string;
  readonly workloadApi?: string;
  readonly api?: { readonly server: string; readonly caFile: string; readonly tokenFile: string };
  readonly xdsAddress: string;
  readonly admin: { readonly address: string; readonly port: number };
  readonly stateFolder: string;
  readonly svidTtlSeconds?: number;
  readonly tracing?: { readonly endpoint: string; readonly samplingRatio: number; readonly serviceName: string };
  readonly workers?: number;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error';
}

/** Where a proxy gets its SVID: from the Workload API, or, where there is none, from the API server with the token. */
export function identityFields(
  { workloadApi, api, svidTtlSeconds }: ProxySettings,
  { tokenFile }: WorkloadIdentity,
): Pick<ProxyBootstrap, 'workloadApi' | 'api' | 'svidTtlSeconds'> {
  if (workloadApi !== undefined) return { workloadApi };
  return { api: { ...api, tokenFile }, ...(svidTtlSeconds === undefined ? {} : { svidTtlSeconds }) };
}
