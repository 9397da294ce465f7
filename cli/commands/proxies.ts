import type { Command } from 'commander';
import { INGRESS_NAMESPACE } from '../../api/meta/well-known.ts';
import type { CommandContext } from '../cluster/context.ts';
import { type ClusterOptions, withClusterOptions, withOutputOption } from '../cluster/options.ts';
import { CommandError } from '../output/exit-codes.ts';
import { DATA_FORMATS, parseFormat, renderData } from '../output/format.ts';

interface RestartOptions extends ClusterOptions {
  readonly ingress?: string;
}

export function registerProxies(program: Command, context: CommandContext): void {
  const proxies = program
    .command('proxies')
    .description('sidecars and ingresses: restart them without losing a request')
    .addHelpText('after', '\nExamples:\n  tutti proxies restart web-7c9d5-x2k4q\n  tutti get proxies -A');
  const command = proxies
    .command('restart')
    .description('a new process takes over from the one that runs; its connections go on')
    .argument('[pods...]', 'whose sidecars')
    .option('--ingress <node>', 'the ingress of this node')
    .addHelpText(
      'after',
      '\nExamples:\n  tutti proxies restart web-7c9d5-x2k4q\n  tutti proxies restart --ingress node-1\n  tutti proxies restart -n shop cart-0 cart-1 -o json',
    );
  withOutputOption(withClusterOptions(command)).action(async (pods: readonly string[], options: RestartOptions) => {
    const format = parseFormat(options.output, DATA_FORMATS);
    if (pods.length === 0 && options.ingress === undefined)
      throw new CommandError('proxies restart: no proxy named', {
        exit: 'usage',
        hint: 'name pods, or a node with --ingress NODE',
      });
    const cluster = await context.connect(options);
    try {
      const namespace = options.namespace ?? cluster.namespace;
      const wanted = [
        ...pods.map((name) => ({ namespace, name, said: `sidecar of pod "${name}"` })),
        ...(options.ingress === undefined
          ? []
          : [{ namespace: INGRESS_NAMESPACE, name: options.ingress, said: `ingress of node "${options.ingress}"` }]),
      ];
      const done: unknown[] = [];
      // One after the other: a program that does not start is found out at the first.
      for (const { namespace: where, name, said } of wanted) {
        context.terminal.err(`${said}: restarting\n`);
        const path = `/apis/tutti.dev/v1alpha1/namespaces/${encodeURIComponent(where)}/proxies/${encodeURIComponent(name)}/restart`;
        const status = await cluster.post(path, {});
        done.push(status);
        if (format === undefined) context.terminal.out(`${said} restarted\n`);
      }
      if (format !== undefined) context.terminal.out(renderData({ items: done }, format));
    } finally {
      await cluster.close();
    }
  });
}
