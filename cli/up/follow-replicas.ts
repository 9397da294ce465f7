import type { Client } from '../../api/client/client.ts';
import { deploymentKind } from '../../api/kinds/deployment.ts';
import { eventKind } from '../../api/kinds/event.ts';
import { type Gateway, gatewayKind } from '../../api/kinds/gateway.ts';
import type { CommandContext } from '../cluster/context.ts';
import { inOrder } from '../cluster/event-order.ts';
import { lookAgain } from '../cluster/look-again.ts';
import { createProgress, type Progress, type ProgressLine } from '../output/progress.ts';
import { rolloutState } from '../rollout/status.ts';

export interface Followed {
  readonly client: Client;
  readonly context: CommandContext;
  readonly timeoutMs: number;
}

/** What still is missing when the time was over, each with the newest reason that is known. Empty when all is up. */
export type Missing = readonly string[];

const POLL_MS = 150;

/** Shows each Deployment and Gateway until all are ready, Ctrl-C, or the time is over. */
export async function followReplicas({ client, context, timeoutMs }: Followed): Promise<Missing> {
  const progress = createProgress(context.terminal);
  const deadline = context.clock.monotonic() + timeoutMs;
  let lines: readonly ProgressLine[] = [];
  const tell = (message: string): void => progress.update([...lines, { key: 'server', text: `  ${message}` }]);
  const look = lookAgain({ context, untilMs: deadline, isKnown: true, tell });
  for (;;) {
    const subjects = await readUnlessStopped(() => look(() => readSubjects(client)), context, progress);
    if (subjects === undefined) return [];
    lines = subjects.map((subject) => lineOf(subject, context));
    progress.update(lines);
    const missing = subjects.filter(({ ready }) => !ready);
    const over = context.clock.monotonic() > deadline || context.signal.aborted;
    if (missing.length === 0 || over) {
      progress.done();
      return await Promise.all(
        missing.map(async (subject) => `${subject.key}: ${subject.state}${await lastWarning(client, subject)}`),
      );
    }
    await context.clock.sleep(POLL_MS);
  }
}

/** Undefined after Ctrl-C; the screen is left in order whatever comes of it. */
async function readUnlessStopped(
  read: () => Promise<Subject[]>,
  { signal }: CommandContext,
  progress: Progress,
): Promise<Subject[] | undefined> {
  try {
    return await read();
  } catch (error) {
    progress.done();
    if (signal.aborted) return undefined;
    throw error;
  }
}

interface Subject {
  readonly key: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly ready: boolean;
  readonly state: string;
}

async function readSubjects(client: Client): Promise<Subject[]> {
  const [deployments, gateways] = await Promise.all([client.list(deploymentKind), client.list(gatewayKind)]);
  return [
    ...deployments.items.map((deployment) => {
      const { namespace = 'default', name } = deployment.metadata;
      const { readyReplicas = 0, replicas = 0 } = deployment.status ?? {};
      const state = `${readyReplicas}/${deployment.spec.replicas ?? 1} ready${replicas === 0 ? ', starting' : ''}`;
      return {
        key: `deployment/${name}`,
        kind: 'Deployment',
        namespace,
        name,
        ready: rolloutState(deployment).kind === 'done',
        state,
      };
    }),
    ...gateways.items.map(gatewaySubject),
  ];
}

function gatewaySubject(gateway: Gateway): Subject {
  const { namespace = 'default', name } = gateway.metadata;
  const programmed = gateway.status?.conditions?.find(({ type }) => type === 'Programmed');
  const ports = gateway.spec.listeners.map(({ port }) => port).join(', ');
  const ready = programmed?.status === 'True' && programmed.observedGeneration === gateway.metadata.generation;
  const state = ready ? `listening on ${ports}` : (programmed?.message ?? 'starting');
  return { key: `gateway/${name}`, kind: 'Gateway', namespace, name, ready, state };
}

function lineOf({ key, ready, state }: Subject, { terminal }: CommandContext): ProgressLine {
  const mark = ready ? terminal.style('green', '✓') : terminal.style('yellow', '·');
  return { key, text: `  ${mark} ${key.padEnd(28)} ${state}` };
}

/** The newest warning about the subject or its pods: why it is not there yet. Nothing when the server does not tell. */
async function lastWarning(client: Client, { namespace, name }: Subject): Promise<string> {
  const items = await client.list(eventKind, { namespace }).then(
    (list) => list.items,
    () => [],
  );
  const warnings = items.filter(
    ({ type, involvedObject }) => type === 'Warning' && involvedObject.name?.startsWith(name) === true,
  );
  const last = inOrder(warnings).at(-1);
  return last === undefined ? '' : `; ${last.reason ?? ''}: ${(last.message ?? '').trim()}`;
}
