import type { Container } from '../../api/kinds/container.ts';
import type { Clock } from '../../kit/clock.ts';
import { type ProbeTarget, runProbe } from '../probes/handlers.ts';

type Handler = NonNullable<NonNullable<Container['lifecycle']>['preStop']>;

/**
 * Runs a lifecycle hook within its time; the message of what went wrong, if something did (pkg/kubelet/lifecycle/handlers.go).
 * A hook has the handlers of a probe, and may also sleep.
 */
export async function runHook(
  handler: Handler,
  target: ProbeTarget,
  limitMs: number,
  clock: Clock,
): Promise<string | undefined> {
  if (handler.sleep !== undefined) {
    await clock.sleep(Math.min(limitMs, handler.sleep.seconds * 1000));
    return undefined;
  }
  const { exec, httpGet, tcpSocket } = handler;
  if (exec === undefined && httpGet === undefined && tcpSocket === undefined) return 'the hook has no handler';
  const result = await runProbe(
    {
      ...(exec === undefined ? {} : { exec }),
      ...(httpGet === undefined ? {} : { httpGet }),
      ...(tcpSocket === undefined ? {} : { tcpSocket }),
      timeoutSeconds: limitMs / 1000,
      periodSeconds: 1,
      successThreshold: 1,
      failureThreshold: 1,
    },
    target,
  );
  return result.outcome === 'success' ? undefined : result.message;
}
