import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { XdsRelay } from '../grpc/xds-relay.ts';
import type { Pods } from '../pod/pods.ts';
import { readProcEntry } from '../runtime/process/host/proc-table.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Ingress } from '../sidecar/ingress.ts';
import type { IdentityHolder } from './identity-keeper.ts';
import type { PeerReader } from './workload-api/peer-credentials.ts';
import { serveWorkloadApi, type WorkloadApiServer } from './workload-api/workload-api.ts';
import type { WorkloadIdentity } from './workload-identity.ts';

export interface NodeParts {
  readonly pods: Pods;
  readonly runtime: Runtime;
  readonly ingress: Ingress | undefined;
}

export interface ServeOptions extends NodeParts {
  readonly socketPath: string;
  readonly readPeer: PeerReader;
  /** Settled when the pods that an earlier agent left are taken over. */
  readonly adopted: Promise<void>;
  readonly relay: XdsRelay;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Every identity of this node, and the proxy that shows it. */
export function identityHolders({ pods, ingress }: NodeParts): readonly IdentityHolder[] {
  const all = pods.list().map(({ pod: { metadata }, identity, usedSerial }) => ({
    name: `pod/${metadata.namespace ?? ''}/${metadata.name}`,
    identity,
    ...(usedSerial === undefined ? {} : { usedSerial }),
  }));
  if (ingress === undefined) return all;
  return [...all, { name: 'ingress', identity: ingress.identity, usedSerial: (signal) => ingress.usedSerial(signal) }];
}

/** The Workload API for the pods and the ingress of this node. */
export function serveIdentities(options: ServeOptions): Promise<WorkloadApiServer> {
  return serveWorkloadApi({ ...options, lineage: readProcEntry, leaders: () => leadersOf(options) });
}

/** Every container, sidecar and ingress runs in a session of its own, begun by the process whose pid is known here. */
function leadersOf({ pods, runtime, ingress }: NodeParts): ReadonlyMap<number, WorkloadIdentity> {
  const leaders = new Map<number, WorkloadIdentity>();
  const workers = new Map(pods.list().map((worker) => [worker.pod.metadata.uid, worker]));
  for (const { key, state } of runtime.list()) {
    const identity = workers.get(key.podUid)?.identity;
    if (identity !== undefined && state.type === 'running') leaders.set(state.pid, identity);
  }
  for (const { identity, sidecarPid } of workers.values()) {
    if (sidecarPid !== undefined) leaders.set(sidecarPid, identity);
  }
  if (ingress?.pid !== undefined) leaders.set(ingress.pid, ingress.identity);
  return leaders;
}
