import type { Clock } from '../../kit/clock.ts';
import type { Pods } from '../pod/pods.ts';
import { RestartRefused } from '../sidecar/restart-refused.ts';

/** Whatever a new process waits for (its identity, its configuration) takes less, or it is not taken for one that comes. */
const RESTART_WITHIN_MS = 30_000;

export interface RestartablePlace {
  readonly pods: Pods;
  /** Undefined where this node has no ingress. */
  readonly ingress: () => { readonly restart: (limitMs: number) => Promise<void> } | undefined;
  readonly clock: Clock;
}

export type RestartAnswer =
  | { readonly ok: true; readonly tookMs: number }
  | { readonly ok: false; readonly code: 404 | 409 | 504; readonly message: string };

/** `/restartProxy/NAMESPACE/POD` for a sidecar, `/restartProxy` for the ingress; undefined for another path. */
export function restartOf(path: string): { readonly namespace: string; readonly pod: string } | 'ingress' | undefined {
  const [root, what, namespace, pod, ...more] = path.split('/');
  if (root !== '' || what !== 'restartProxy' || more.length > 0) return undefined;
  if (namespace === undefined) return 'ingress';
  return pod === undefined ? undefined : { namespace: decodeURIComponent(namespace), pod: decodeURIComponent(pod) };
}

/** A hot restart of a proxy of this node; answers when the new process has taken over, or says what is in the way. */
export async function restartProxy(
  wanted: Exclude<ReturnType<typeof restartOf>, undefined>,
  { pods, ingress, clock }: RestartablePlace,
): Promise<RestartAnswer> {
  const act = actOf(wanted, pods, ingress);
  if (typeof act === 'string') return { ok: false, code: 404, message: act };
  const startedMs = clock.monotonic();
  try {
    await act(RESTART_WITHIN_MS);
  } catch (error) {
    if (error instanceof RestartRefused) return { ok: false, code: 409, message: error.message };
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, code: 504, message: `the new process has not taken over; the one before goes on: ${why}` };
  }
  return { ok: true, tookMs: Math.round(clock.monotonic() - startedMs) };
}

/** Words where there is nothing to restart. */
function actOf(
  wanted: Exclude<ReturnType<typeof restartOf>, undefined>,
  pods: Pods,
  ingress: RestartablePlace['ingress'],
): ((limitMs: number) => Promise<void>) | string {
  if (wanted === 'ingress') {
    const here = ingress();
    return here === undefined ? 'this node has no ingress' : (limitMs) => here.restart(limitMs);
  }
  const worker = pods.find(wanted.namespace, wanted.pod);
  if (worker === undefined) return `pod "${wanted.pod}" not found`;
  return worker.restartSidecar ?? `pod "${wanted.pod}" has no sidecar`;
}
