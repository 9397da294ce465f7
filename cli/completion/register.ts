import type { RootCommand } from '@bomb.sh/tab';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { namespaceKind } from '../../api/kinds/namespace.ts';
import { kinds } from '../../api/kinds/registry.ts';
import type { CommandContext } from '../cluster/context.ts';
import { kindWords, type Wanted, wantedFrom } from './words.ts';

/** Nobody waits longer at the Tab key: what has not come by then is not offered. */
const TIMEOUT_MS = 5000;

/**
 * Adds `tutti completion SHELL`, which prints a script, and the hidden command that those scripts call at each Tab. Commands, flags and
 * their choices come from the program itself; kinds from the registry; names from the cluster, when one is there. After every
 * other command: it reads what has been registered.
 */
export function registerCompletion(program: Command, context: CommandContext): void {
  const root = tab(program, { completionCommandName: 'completion' });
  program.commands
    .find((command) => command.name() === 'completion')
    ?.description('print a script that completes commands, kinds and names at Tab')
    .addHelpText(
      'after',
      `
Put it into your shell's start file:
  bash   echo 'source <(tutti completion bash)' >> ~/.bashrc
  zsh    echo 'source <(tutti completion zsh)' >> ~/.zshrc
  fish   tutti completion fish > ~/.config/fish/completions/tutti.fish`,
    );
  let fromCluster: readonly string[] = [];
  offer(root, () => fromCluster);
  program.hook('preAction', async (_, action) => {
    if (action.name() !== 'complete') return;
    const words = action.args.slice(0, -1);
    const wanted = wantedFrom(words, action.args.at(-1) ?? '');
    fromCluster = wanted === undefined ? [] : await ask(context, wanted);
  });
}

/** Puts the values of arguments and flags behind what the adapter has registered. */
function offer(root: RootCommand, fromCluster: () => readonly string[]): void {
  for (const [path, command] of root.commands) {
    const [name = ''] = path.split(' ');
    const values = (): readonly string[] => [...new Set([...kindWords(name), ...fromCluster()])];
    for (const argument of command.arguments.values()) {
      argument.handler ??= (complete) => values().forEach((value) => complete(value, ''));
    }
    const namespace = command.options.get('namespace');
    if (namespace !== undefined) {
      namespace.handler = (complete) => fromCluster().forEach((value) => complete(value, ''));
    }
    const output = command.options.get('output');
    if (output !== undefined) {
      const formats = output.description.replace(/^[^:]*:/, '').split(',');
      output.handler = (complete) => formats.forEach((format) => complete(format.trim(), ''));
    }
  }
}

/** Names as they stand in the cluster; none when there is none, or it does not answer in time. */
async function ask(context: CommandContext, wanted: Wanted): Promise<readonly string[]> {
  const limit = Promise.withResolvers<readonly string[]>();
  // The shell waits until this process ends, and a timer would hold it.
  const timer = context.clock.timer(TIMEOUT_MS, () => limit.resolve([]));
  const names = listNames(context, wanted)
    .catch(() => [])
    .finally(() => timer.stop());
  return await Promise.race([names, limit.promise]);
}

async function listNames(context: CommandContext, wanted: Wanted): Promise<readonly string[]> {
  const cluster = await context.connect({});
  try {
    if (wanted.what === 'namespaces') {
      return (await cluster.client.list(namespaceKind)).items.map(({ metadata }) => metadata.name);
    }
    const kind = kinds.find(({ plural }) => plural === wanted.plural);
    if (kind === undefined) return [];
    const { items } = await cluster.client.list(
      kind,
      kind.namespaced ? { namespace: wanted.namespace ?? cluster.namespace } : {},
    );
    return items.map(({ metadata }) => `${wanted.prefix}${metadata.name}`);
  } finally {
    await cluster.close();
  }
}
