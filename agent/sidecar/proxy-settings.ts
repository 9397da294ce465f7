import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import type { TokenIssuer } from '../identity/token-issuer.ts';
import type { TracingSettings } from './tracing.ts';

/** What all proxies of an agent have in common. */
export interface ProxySettings {
  /** What comes before `--bootstrap FILE`. */
  readonly command: readonly string[];
  /** Its version and where it is: proxies of another program make way for it. */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  readonly api: { readonly server: string; readonly caFile: string };
  readonly xdsAddress: string;
  readonly trustDomain: string;
  readonly svidTtlSeconds?: number;
  /** Without it proxies send no spans. */
  readonly tracing?: TracingSettings;
  /** Where proxies and workloads find the Workload API; missing where it cannot be served: proxies ask the API server then. */
  readonly workloadApi?: string;
  /** What the agent has followed of the control plane's CA. */
  readonly trustGeneration: () => number;
  readonly issue: TokenIssuer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The port on a pod's own address where its sidecar's admin endpoint is. */
export const ADMIN_PORT = 15000;
