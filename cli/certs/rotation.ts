import type { Client } from '../../api/client/client.ts';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { nodeKind } from '../../api/kinds/node.ts';
import { type Carrying, carryingOf } from '../../api/trust/carried-identities.ts';
import { TRUST_BUNDLE, TRUST_REQUEST, type TrustRequest, type TrustState } from '../../api/trust/trust-bundle.ts';
import type { CommandContext } from '../cluster/context.ts';
import { lookAgain } from '../cluster/look-again.ts';
import { CommandError } from '../output/exit-codes.ts';
import { readTrust } from './certificates.ts';

interface Asking {
  readonly client: Pick<Client, 'get' | 'list' | 'patch'>;
  readonly context: Pick<CommandContext, 'clock' | 'signal' | 'terminal'>;
  readonly timeoutMs: number;
}

const POLL_MS = 100;
const NAMED = 3;

/** Asks the control plane for a step and waits for its answer. Throws CommandError when it refuses. */
export async function askForStep({
  client,
  context,
  timeoutMs,
  request,
}: Asking & { readonly request: TrustRequest }): Promise<void> {
  const { clock, signal } = context;
  await readTrust(client);
  const annotations = { [TRUST_REQUEST]: JSON.stringify(request) };
  await client.patch(configMapKind, TRUST_BUNDLE, { metadata: { annotations } }, { type: 'merge' });
  const deadline = clock.monotonic() + timeoutMs;
  const look = lookAgain({ context, untilMs: deadline, isKnown: true });
  for (;;) {
    const { answer } = (await look(() => readTrust(client))).state;
    if (answer?.id === request.id) {
      if (answer.ok) return;
      throw new CommandError(answer.message, {
        hint: '"tutti certs root status" says how far it is; --force goes on without those that are behind',
      });
    }
    if (clock.monotonic() > deadline)
      throw new CommandError(`${request.step}: the control plane has not answered after ${timeoutMs / 1000} s`, {
        exit: 'timeout',
      });
    await clock.sleep(POLL_MS, signal);
  }
}

export interface RotationStatus extends Carrying {
  readonly stage: TrustState['stage'];
  readonly generation: number;
}

/** Waits until every agent and proxy carries the present stage, saying how many do. A report says it once. Throws CommandError when the time is over. */
export async function waitUntilCarried({
  client,
  context,
  timeoutMs,
  isReport,
}: Asking & { readonly isReport?: true }): Promise<RotationStatus> {
  const { clock, signal, terminal } = context;
  const deadline = clock.monotonic() + timeoutMs;
  const look = lookAgain({ context, untilMs: deadline });
  let told = '';
  for (;;) {
    const { stage, generation } = (await look(() => readTrust(client))).state;
    const { items } = await look(() => client.list(nodeKind));
    const status = { stage, generation, ...carryingOf(items, generation) };
    if (status.waiting.length === 0 || isReport === true) return status;
    const line = `stage ${stage}: carried by ${status.carried} of ${status.total}\n`;
    if (line !== told) terminal.err(line);
    told = line;
    if (clock.monotonic() > deadline) {
      throw new CommandError(
        `stage ${stage}: not carried by ${status.waiting.slice(0, NAMED).join(', ')} after ${timeoutMs / 1000} s`,
        {
          exit: 'timeout',
          hint: 'is their agent well? "tutti get nodes" says; "tutti certs root status" names all',
        },
      );
    }
    await clock.sleep(POLL_MS, signal);
  }
}
