import type { CommandContext } from '../cluster/context.ts';

/** Resolves at the first Ctrl-C or SIGTERM. */
export function untilStopped({ signal }: Pick<CommandContext, 'signal'>): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
