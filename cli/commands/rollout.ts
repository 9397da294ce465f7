import type { Command } from 'commander';
import { deploymentKind } from '../../api/kinds/deployment.ts';
import { replicaSetKind } from '../../api/kinds/replica-set.ts';
import { timestamp } from '../../kit/clock.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { type ClusterOptions, withClusterOptions, withOutputOption } from '../cluster/options.ts';
import { parseResources } from '../cluster/resources.ts';
import { parseDuration } from '../output/duration.ts';
import { CommandError } from '../output/exit-codes.ts';
import { DATA_FORMATS, parseFormat, renderData } from '../output/format.ts';
import { renderTable } from '../output/table.ts';
import { type Revision, revisionsOf, targetRevision, templateOf } from '../rollout/history.ts';
import { waitForRollout } from '../rollout/wait.ts';

/** Flags of all the subcommands; each has those that it declares. */
interface RolloutOptions extends ClusterOptions {
  readonly timeout?: string;
  readonly revision?: string;
  readonly toRevision?: string;
}

interface Target {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly name: string;
}

export function registerRollout(program: Command, context: CommandContext): void {
  const rollout = program
    .command('rollout')
    .description('follow, undo and repeat rollouts of a Deployment')
    .addHelpText(
      'after',
      '\nExamples:\n  tutti rollout status deployment/catalog-v1\n  tutti rollout undo deployment/catalog-v1',
    );

  const each = (command: Command, act: (target: Target, options: RolloutOptions) => Promise<void>): void => {
    withClusterOptions(command.argument('<resources...>', 'deployment/name')).action(
      async (given: string[], options: RolloutOptions) => {
        const cluster = await context.connect(options);
        try {
          for (const name of deploymentNames(given))
            await act({ cluster, namespace: options.namespace ?? cluster.namespace, name }, options);
        } finally {
          await cluster.close();
        }
      },
    );
  };

  each(
    rollout
      .command('status')
      .description('follow a rollout to its end')
      .option('--timeout <duration>', 'how long to wait', '10m')
      .addHelpText('after', '\nExample:\n  tutti rollout status deployment/catalog-v1'),
    async (target, options) =>
      waitForRollout({ ...target, context, timeoutMs: parseDuration('--timeout', options.timeout ?? '10m') }),
  );

  each(
    withOutputOption(
      rollout
        .command('history')
        .description('list the revisions')
        .option('--revision <number>', 'show one revision whole')
        .addHelpText(
          'after',
          '\nExamples:\n  tutti rollout history deployment/catalog-v1\n  tutti rollout history deployment/catalog-v1 --revision 2',
        ),
    ),
    async (target, options) => showHistory(context, target, options),
  );

  each(
    rollout
      .command('undo')
      .description('go back to a revision')
      .option('--to-revision <number>', 'which (default: the one before)', '0')
      .addHelpText(
        'after',
        '\nExamples:\n  tutti rollout undo deployment/catalog-v1\n  tutti rollout undo deployment/catalog-v1 --to-revision 2',
      ),
    async (target, options) => undo(context, target, Number(options.toRevision ?? 0)),
  );

  each(
    rollout
      .command('restart')
      .description('replace every pod, one by one')
      .addHelpText('after', '\nExample:\n  tutti rollout restart deployment/catalog-v1'),
    async (target) => {
      const { cluster, namespace, name } = target;
      const { spec } = await cluster.client.get(deploymentKind, { namespace, name });
      if (spec.paused === true)
        throw new CommandError(`deployment "${name}": is paused, so nothing would be restarted`, {
          hint: `"tutti rollout resume deployment/${name}" first`,
        });
      // kubectl's annotation, so that either tool continues the other's work.
      const annotations = { 'kubectl.kubernetes.io/restartedAt': timestamp(context.clock.now()) };
      await patchDeployment(target, { spec: { template: { metadata: { annotations } } } });
      context.terminal.out(`deployment.apps/${target.name} restarted\n`);
    },
  );

  for (const [verb, paused, said, explained] of [
    ['pause', true, 'paused', 'keep changes of the pod template until they are resumed'],
    ['resume', null, 'resumed', 'roll out what changed while it was paused'],
  ] as const) {
    const command = rollout
      .command(verb)
      .description(explained)
      .addHelpText('after', `\nExample:\n  tutti rollout ${verb} deployment/catalog-v1`);
    each(command, async (target) => {
      const { cluster, namespace, name } = target;
      const { spec } = await cluster.client.get(deploymentKind, { namespace, name });
      if ((spec.paused === true) === (paused === true))
        throw new CommandError(`deployment "${name}": is ${paused === true ? 'paused already' : 'not paused'}`);
      await patchDeployment(target, { spec: { paused } });
      context.terminal.out(`deployment.apps/${target.name} ${said}\n`);
    });
  }
}

function deploymentNames(given: readonly string[]): string[] {
  return parseResources(given).flatMap(({ kind, names }) => {
    if (kind.kind !== 'Deployment')
      throw new CommandError(`rollout of ${kind.plural}: only Deployments have rollouts`, { exit: 'usage' });
    if (names.length === 0)
      throw new CommandError('rollout: no Deployment named', { exit: 'usage', hint: 'such as deployment/web' });
    return names;
  });
}

async function patchDeployment({ cluster, namespace, name }: Target, patch: unknown): Promise<void> {
  await cluster.client.patch(deploymentKind, { namespace, name }, patch, {
    type: 'strategic',
    fieldManager: 'tutti-rollout',
  });
}

async function readRevisions({ cluster, namespace, name }: Target): Promise<Revision[]> {
  const deployment = await cluster.client.get(deploymentKind, { namespace, name });
  return revisionsOf(deployment, (await cluster.client.list(replicaSetKind, { namespace })).items);
}

async function showHistory(context: CommandContext, target: Target, options: RolloutOptions): Promise<void> {
  const revisions = await readRevisions(target);
  const format = parseFormat(options.output, DATA_FORMATS);
  const asked = options.revision === undefined ? undefined : targetRevision(revisions, Number(options.revision));
  if (options.revision !== undefined && asked === undefined) throw missing(target.name, options.revision, revisions);
  if (asked !== undefined) {
    context.terminal.out(renderData(templateOf(asked), format === 'json' ? 'json' : 'yaml'));
    return;
  }
  const list = revisions.map(({ revision, changeCause }) => ({ revision, changeCause: changeCause ?? null }));
  if (format === 'json' || format === 'yaml') context.terminal.out(renderData(list, format));
  else {
    const rows = list.map(({ revision, changeCause }) => [String(revision), changeCause ?? '<none>']);
    context.terminal.out(`deployment.apps/${target.name}\n${renderTable(['REVISION', 'CHANGE-CAUSE'], rows)}`);
  }
}

async function undo(context: CommandContext, target: Target, asked: number): Promise<void> {
  const { cluster, namespace, name } = target;
  const revisions = await readRevisions(target);
  const back = targetRevision(revisions, asked);
  if (back === undefined) throw missing(name, asked === 0 ? 'before the present one' : String(asked), revisions);
  const patch = [{ op: 'replace', path: '/spec/template', value: templateOf(back) }];
  await cluster.client.patch(deploymentKind, { namespace, name }, patch, {
    type: 'json',
    fieldManager: 'tutti-rollout',
  });
  context.terminal.out(`deployment.apps/${name} rolled back to revision ${back.revision}\n`);
}

function missing(name: string, asked: string, revisions: readonly Revision[]): CommandError {
  const known = revisions.map(({ revision }) => revision).join(', ');
  return new CommandError(`revision ${asked} of deployment "${name}": not found`, {
    hint: `there are ${known === '' ? 'none' : known}`,
  });
}
