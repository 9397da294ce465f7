import { deploymentKind } from '../../api/kinds/deployment.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { lookAgain } from '../cluster/look-again.ts';
import { CommandError } from '../output/exit-codes.ts';
import { rolloutState } from './status.ts';

const POLL_MS = 100;

export interface RolloutWait {
  readonly cluster: Cluster;
  readonly context: CommandContext;
  readonly namespace: string;
  readonly name: string;
  readonly timeoutMs: number;
}

/** Says each step of the rollout once, and returns when it is done. Throws when it fails or the time is over. */
export async function waitForRollout({ cluster, context, namespace, name, timeoutMs }: RolloutWait): Promise<void> {
  const deadline = context.clock.monotonic() + timeoutMs;
  const look = lookAgain({ context, untilMs: deadline });
  let told = '';
  for (;;) {
    const state = rolloutState(await look(() => cluster.client.get(deploymentKind, { namespace, name })));
    if (state.kind === 'failed')
      throw new CommandError(state.message, { hint: `"tutti describe deployment ${name}" says why` });
    if (state.message !== told) context.terminal.out(`${state.message}\n`);
    told = state.message;
    if (state.kind === 'done') return;
    if (context.clock.monotonic() > deadline) {
      throw new CommandError(`deployment "${name}": not rolled out after ${timeoutMs / 1000} s`, {
        exit: 'timeout',
        hint: `"tutti describe deployment ${name}" says why`,
      });
    }
    await context.clock.sleep(POLL_MS, context.signal);
  }
}
