import { SECURITY_HEADER, WorkloadApi } from '../../certs/workload/spiffe-api/methods.ts';
import type { SvidCall } from '../../certs/workload/spiffe-api/workload-api-source.ts';
import type { Clock } from '../../kit/clock.ts';
import { openChannel } from './channel.ts';

/** Asks the agent's Workload API for this process' identity, and for each one after it. */
export function openSvidCall(address: string, clock: Clock): SvidCall {
  const channel = openChannel({ address, clock });
  const call = channel.open(WorkloadApi.fetchX509Svid, { [SECURITY_HEADER]: 'true' });
  call.write({});
  call.end();
  return {
    onMessage: (listener) => call.onMessage(listener),
    onEnd: (listener) => call.onEnd(listener),
    close: () => channel.close(),
  };
}
