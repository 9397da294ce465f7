import { connect } from 'node:net';
import type { TcpSocketAction } from '../../api/kinds/handler.ts';
import { joinHostPort, probeAddress } from './address.ts';
import type { ProbeResult, ProbeTarget } from './handlers.ts';
import { withTimeLimit } from './time-limit.ts';

/** A connection that opens is success (pkg/probe/tcp/tcp.go). */
export async function probeTcp(action: TcpSocketAction, target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  const address = probeAddress(action, target);
  try {
    await withTimeLimit(target.clock, timeoutMs, async (signal) => {
      const opened = Promise.withResolvers<void>();
      const socket = connect(address.port, address.host);
      socket.on('connect', () => opened.resolve());
      socket.on('error', opened.reject);
      signal.addEventListener('abort', () => opened.reject(signal.reason as Error), { once: true });
      try {
        await opened.promise;
      } finally {
        socket.destroy();
      }
    });
    return { outcome: 'success', message: '' };
  } catch (error) {
    return { outcome: 'failure', message: `dial tcp ${joinHostPort(address)}: ${(error as Error).message}` };
  }
}
