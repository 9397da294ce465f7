import type { Command } from 'commander';
import type { Kind } from '../../api/kinds/kind.ts';
import { ApiError } from '../../api/meta/api-error.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { lookAgain } from '../cluster/look-again.ts';
import { type ClusterOptions, withClusterOptions } from '../cluster/options.ts';
import { parseResources, resourceName } from '../cluster/resources.ts';
import { checkedManifests } from '../manifests/checked.ts';
import { parseDuration } from '../output/duration.ts';
import { CommandError } from '../output/exit-codes.ts';

interface DeleteOptions extends ClusterOptions {
  readonly filename?: string[];
  readonly selector?: string;
  readonly all?: boolean;
  readonly wait: boolean;
  readonly ignoreNotFound?: boolean;
  readonly gracePeriod?: string;
  readonly timeout: string;
}

interface Target {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string;
}

const POLL_MS = 200;

export function registerDelete(program: Command, context: CommandContext): void {
  const command = program
    .command('delete')
    .description('delete objects and wait until they are gone')
    .argument('[resources...]', 'kind name, or kind/name')
    .option('-f, --filename <path...>', 'delete what these manifests name')
    .option('-l, --selector <labels>', 'delete those with these labels')
    .option('--all', 'delete all of the kind in the namespace')
    .option('--grace-period <seconds>', 'how long pods may take to end')
    .option('--ignore-not-found', 'what is not there counts as deleted')
    .option('--no-wait', 'return at once')
    .option('--timeout <duration>', 'how long to wait', '60s')
    .addHelpText(
      'after',
      `
Examples:
  tutti delete deployment web
  tutti delete -f shop.yaml
  tutti delete pods -l app=web --no-wait`,
    );
  withClusterOptions(command).action(async (given: string[], options: DeleteOptions) => {
    const cluster = await context.connect(options);
    try {
      const targets = await targetsOf(cluster, given, options);
      if (targets.length === 0) context.terminal.err('nothing to delete\n');
      const deleted: Target[] = [];
      for (const target of targets) {
        if (!(await deleteOne(cluster, target, options))) continue;
        deleted.push(target);
        context.terminal.out(`${resourceName(target.kind, target.name)} deleted\n`);
      }
      if (options.wait) await waitUntilGone(context, cluster, deleted, parseDuration('--timeout', options.timeout));
    } finally {
      await cluster.close();
    }
  });
}

async function targetsOf(cluster: Cluster, given: readonly string[], options: DeleteOptions): Promise<Target[]> {
  const namespace = options.namespace ?? cluster.namespace;
  if (options.filename !== undefined) {
    if (given.length > 0) throw new CommandError('delete: takes manifests or names, not both', { exit: 'usage' });
    const documents = await checkedManifests(options.filename);
    // What was made last goes first, so that nothing is left without what it stands on.
    return documents
      .map(({ kind, object }) => ({
        kind,
        name: object.metadata.name,
        namespace: kind.namespaced ? (object.metadata.namespace ?? namespace) : undefined,
      }))
      .reverse();
  }
  const targets: Target[] = [];
  for (const { kind, names } of parseResources(given)) {
    const where = kind.namespaced ? { namespace } : {};
    if (names.length > 0) for (const name of names) targets.push({ kind, name, namespace: where.namespace });
    else if (options.selector === undefined && options.all !== true) {
      throw new CommandError(`delete ${kind.plural}: no name given`, {
        exit: 'usage',
        hint: 'name them, or use --selector or --all',
      });
    } else {
      const found = await cluster.client.list(kind, {
        ...where,
        ...(options.selector === undefined ? {} : { labelSelector: options.selector }),
      });
      targets.push(...found.items.map(({ metadata }) => ({ kind, name: metadata.name, namespace: where.namespace })));
    }
  }
  return targets;
}

async function deleteOne(
  cluster: Cluster,
  { kind, namespace, name }: Target,
  options: DeleteOptions,
): Promise<boolean> {
  const grace =
    options.gracePeriod === undefined ? {} : { gracePeriodSeconds: Number.parseInt(options.gracePeriod, 10) };
  try {
    await cluster.client.delete(
      kind,
      { name, ...(namespace === undefined ? {} : { namespace }) },
      { propagationPolicy: 'Background', ...grace },
    );
    return true;
  } catch (error) {
    if (options.ignoreNotFound === true && error instanceof ApiError && error.code === 404) return false;
    throw error;
  }
}

async function waitUntilGone(
  context: CommandContext,
  cluster: Cluster,
  targets: readonly Target[],
  timeoutMs: number,
): Promise<void> {
  const deadline = context.clock.monotonic() + timeoutMs;
  const look = lookAgain({ context, untilMs: deadline, isKnown: true });
  for (const { kind, namespace, name } of targets) {
    for (;;) {
      if (!(await look(() => isThere(cluster, { kind, namespace, name })))) break;
      if (context.clock.monotonic() > deadline) {
        throw new CommandError(`${resourceName(kind, name)}: still there after ${timeoutMs / 1000} s`, {
          exit: 'timeout',
          hint: `"tutti describe ${kind.singular} ${name}" says what it waits for`,
        });
      }
      await context.clock.sleep(POLL_MS, context.signal);
    }
  }
}

async function isThere(cluster: Cluster, { kind, namespace, name }: Target): Promise<boolean> {
  try {
    await cluster.client.get(kind, { name, ...(namespace === undefined ? {} : { namespace }) });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return false;
    throw error;
  }
}
