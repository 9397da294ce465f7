import type { Command } from 'commander';
import { type Event, eventKind } from '../../api/kinds/event.ts';
import type { Kind, KubeObject } from '../../api/kinds/kind.ts';
import type { Proxy } from '../../api/kinds/proxy.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { describeObject } from '../cluster/describe-object.ts';
import { listProxies } from '../cluster/list-proxies.ts';
import { type ClusterOptions, withClusterOptions } from '../cluster/options.ts';
import { parseResources } from '../cluster/resources.ts';
import { ejectionsText, mayBeEjected } from '../proxies/ejections.ts';

interface DescribeOptions extends ClusterOptions {
  readonly selector?: string;
}

export function registerDescribe(program: Command, context: CommandContext): void {
  const command = program
    .command('describe')
    .description('everything of an object, with what has happened to it')
    .argument('<resources...>', 'kind, kind name, or kind/name')
    .option('-l, --selector <labels>', 'those with these labels')
    .addHelpText('after', '\nExamples:\n  tutti describe pod web-1\n  tutti describe httproute/catalog');
  withClusterOptions(command).action(async (given: string[], options: DescribeOptions) => {
    const cluster = await context.connect(options);
    try {
      const texts: string[] = [];
      let proxies: readonly Proxy[] | undefined;
      for (const { kind, names } of parseResources(given)) {
        const namespace = kind.namespaced ? (options.namespace ?? cluster.namespace) : undefined;
        for (const object of await objectsOf(cluster, kind, { names, namespace, selector: options.selector })) {
          const now = context.clock.now();
          if (mayBeEjected(kind.kind)) proxies ??= await proxiesOf(cluster);
          const ejections = mayBeEjected(kind.kind) ? ejectionsText(object, proxies ?? [], now) : '';
          texts.push(describeObject(object, await eventsOf(cluster, object), now) + ejections);
        }
      }
      if (texts.length === 0) context.terminal.err('No resources found\n');
      context.terminal.out(texts.join('\n\n'));
    } finally {
      await cluster.close();
    }
  });
}

/** Who may not see the proxies is shown the object all the same. */
async function proxiesOf(cluster: Cluster): Promise<readonly Proxy[]> {
  return await listProxies(cluster).catch(() => []);
}

interface Wanted {
  readonly names: readonly string[];
  readonly namespace: string | undefined;
  readonly selector: string | undefined;
}

async function objectsOf(
  cluster: Cluster,
  kind: Kind,
  { names, namespace, selector }: Wanted,
): Promise<readonly KubeObject[]> {
  const where = namespace === undefined ? {} : { namespace };
  if (names.length > 0) return await Promise.all(names.map((name) => cluster.client.get(kind, { ...where, name })));
  return (await cluster.client.list(kind, { ...where, ...(selector === undefined ? {} : { labelSelector: selector }) }))
    .items;
}

async function eventsOf(cluster: Cluster, { kind, metadata }: KubeObject): Promise<readonly Event[]> {
  // Events of objects without a namespace are kept in "default", as Kubernetes does.
  const fieldSelector = `involvedObject.kind=${kind},involvedObject.name=${metadata.name},involvedObject.uid=${metadata.uid}`;
  return (await cluster.client.list(eventKind, { namespace: metadata.namespace ?? 'default', fieldSelector })).items;
}
