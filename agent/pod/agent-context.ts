import type { Client } from '../../api/client/client.ts';
import type { Reporter } from '../../api/client/events/correlate.ts';
import type { EventRecorder } from '../../api/client/events/event-recorder.ts';
import type { Service } from '../../api/kinds/service.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ProxySettings } from '../sidecar/proxy-settings.ts';
import type { ConfigCache } from '../volumes/config-cache.ts';
import type { PodNetwork } from './pod-network.ts';

/** What the workers of all pods of a node share. */
export interface AgentContext {
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly podsFolder: string;
  readonly client: Client;
  readonly runtime: Runtime;
  readonly network: PodNetwork;
  readonly configs: ConfigCache;
  /** Services of a namespace, as far as they are known. */
  readonly services: (namespace: string) => readonly Service[];
  /** What pods may ask for: limits that are not set. */
  readonly allocatable: Readonly<Record<string, string>>;
  readonly proxy: ProxySettings;
  readonly events: EventRecorder;
  /** By whose name Events are told. */
  readonly reporter: Reporter;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}
