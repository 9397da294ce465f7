import { kinds } from '../../api/kinds/registry.ts';

/** What the word under the cursor may be, as far as only a cluster knows. Undefined: nothing to ask. */
export type Wanted =
  | { readonly what: 'names'; readonly plural: string; readonly prefix: string; readonly namespace: string | undefined }
  | { readonly what: 'namespaces' };

/** Commands whose arguments are kinds and names: of any kind, or of those that are named. */
const RESOURCE_COMMANDS: Readonly<Record<string, readonly string[] | 'any'>> = {
  get: 'any',
  describe: 'any',
  delete: 'any',
  scale: ['deployments', 'replicasets'],
  logs: ['pods', 'deployments'],
  rollout: ['deployments'],
};

/** Commands whose first argument is the name of an object of one kind. */
const NAME_COMMANDS: Readonly<Record<string, string>> = {
  canary: 'httproutes',
  dns: 'services',
  exec: 'pods',
  'port-forward': 'pods',
};

/** Flags that take a value in the next word: that word is no argument. `-f` is a file's, but `logs -f` follows. */
const VALUE_FLAGS =
  /^(-[nlo]|--(namespace|output|selector|field-selector|filename|kubeconfig|context|data|timeout|container))$/;

function takesValue(flag: string, command: string): boolean {
  return VALUE_FLAGS.test(flag) || (flag === '-f' && command !== 'logs');
}

/**
 * Kinds as they may be written, and those that a command takes. `kind/` is followed by a name.
 */
export function kindWords(command: string): string[] {
  const allowed = RESOURCE_COMMANDS[command];
  if (allowed === undefined) return [];
  return kinds.filter(({ plural }) => allowed === 'any' || allowed.includes(plural)).map(({ plural }) => plural);
}

/** Decides what a cluster is to be asked for, from the words before the cursor and the one under it. */
export function wantedFrom(words: readonly string[], current: string): Wanted | undefined {
  const last = words.at(-1) ?? '';
  if (last === '-n' || last === '--namespace') return { what: 'namespaces' };
  const { command, args, namespace } = readWords(words);
  if (current.startsWith('-') || takesValue(last, command)) return undefined;
  const single = NAME_COMMANDS[command];
  if (single !== undefined) {
    return args.length === 0 ? { what: 'names', plural: single, prefix: '', namespace } : undefined;
  }
  if (RESOURCE_COMMANDS[command] === undefined) return undefined;
  const slash = current.indexOf('/');
  const written = slash >= 0 ? current.slice(0, slash) : args[0];
  const plural = written === undefined ? undefined : pluralOf(written);
  if (plural === undefined)
    return command === 'logs' ? { what: 'names', plural: 'pods', prefix: '', namespace } : undefined;
  return { what: 'names', plural, prefix: slash >= 0 ? `${written}/` : '', namespace };
}

interface Words {
  readonly command: string;
  readonly args: readonly string[];
  readonly namespace: string | undefined;
}

function readWords(words: readonly string[]): Words {
  const plain: string[] = [];
  let namespace: string | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '-n' || word === '--namespace') namespace = words[at + 1];
    if (takesValue(word, plain[0] ?? '')) at++;
    else if (!word.startsWith('-')) plain.push(word);
  }
  const [command = '', ...args] = plain;
  // `rollout status deployment/web`: the subcommand is no argument.
  return { command, args: command === 'rollout' ? args.slice(1) : args, namespace };
}

function pluralOf(written: string): string | undefined {
  const name = written.toLowerCase();
  return kinds.find((kind) => [kind.plural, kind.singular, ...kind.shortNames].includes(name))?.plural;
}
