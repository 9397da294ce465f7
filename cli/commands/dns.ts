import { Resolver } from 'node:dns/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { CLUSTER_DOMAIN } from '../../api/meta/well-known.ts';
import type { CommandContext } from '../cluster/context.ts';
import { keptDnsServer } from '../cluster/kept-ports.ts';
import { withOutputOption } from '../cluster/options.ts';
import { CommandError } from '../output/exit-codes.ts';
import { DATA_FORMATS, parseFormat, renderData } from '../output/format.ts';
import { renderTable } from '../output/table.ts';

const TYPES = ['A', 'AAAA', 'SRV', 'PTR', 'CNAME', 'TXT'] as const;
type RecordType = (typeof TYPES)[number];

const DEFAULT_SERVER = '127.0.0.1:10053';

interface DnsOptions {
  readonly server?: string;
  readonly namespace: string;
  readonly output?: string;
}

interface Answer {
  readonly name: string;
  readonly type: RecordType;
  readonly data: string;
}

export function registerDns(program: Command, context: CommandContext): void {
  const command = program
    .command('dns')
    .description('ask the mesh what a name means')
    .argument('<name>', 'a service, a full name, or an address for PTR')
    .argument('[type]', TYPES.join(', '), 'A')
    .option(
      '--server <host:port>',
      `the agent's DNS server (default: as ./.tutti/ports.json says, else ${DEFAULT_SERVER})`,
    )
    .option('-n, --namespace <name>', 'namespace of a short name', 'default')
    .addHelpText(
      'after',
      `
Names are looked up as a pod does it: catalog, catalog.default, catalog.default.svc and the full name mean the same.

Examples:
  tutti dns catalog
  tutti dns _http._tcp.catalog SRV
  tutti dns 127.96.0.3 PTR`,
    );
  withOutputOption(command).action(async (name: string, given: string, options: DnsOptions) => {
    const type = TYPES.find((known) => known === given.toUpperCase());
    if (type === undefined)
      throw new CommandError(`record type "${given}": not known; one of ${TYPES.join(', ')}`, { exit: 'usage' });
    const format = parseFormat(options.output, DATA_FORMATS);
    const resolver = new Resolver({ timeout: 2000, tries: 2 });
    const server = options.server ?? (await keptDnsServer(join(context.cwd, '.tutti'))) ?? DEFAULT_SERVER;
    try {
      resolver.setServers([server]);
    } catch (error) {
      throw new CommandError(`--server "${server}": not of the form address:port`, { exit: 'usage', cause: error });
    }
    const answers = await resolveFirst(resolver, candidates(name, options.namespace), type, server);
    if (format === 'json' || format === 'yaml') context.terminal.out(renderData(answers, format));
    else
      context.terminal.out(
        renderTable(
          ['NAME', 'TYPE', 'DATA'],
          answers.map((answer) => [answer.name, answer.type, answer.data]),
        ),
      );
  });
}

/** The search list that Kubernetes gives a pod (resolv.conf with ndots:5), most local first; a name with a final dot stands alone. */
function candidates(name: string, namespace: string): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  if (/^[\d.]+$|:/.test(name)) return [name];
  const suffixes = [`${namespace}.svc.${CLUSTER_DOMAIN}`, `svc.${CLUSTER_DOMAIN}`, CLUSTER_DOMAIN];
  const local = suffixes.map((suffix) => `${name}.${suffix}`);
  return name.split('.').length > 5 ? [name, ...local] : [...local, name];
}

async function resolveFirst(
  resolver: Resolver,
  names: readonly string[],
  type: RecordType,
  server: string,
): Promise<Answer[]> {
  let existing: string | undefined;
  for (const name of names) {
    try {
      const found = await resolveOne(resolver, name, type);
      if (found.length > 0) return found;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENODATA') existing ??= name;
      if (code !== 'ENOTFOUND' && code !== 'ENODATA') {
        throw new CommandError(`DNS server ${server}: ${code ?? 'no answer'}`, {
          exit: 'unreachable',
          hint: 'an agent answers there while "tutti up" or "tutti agent" runs; name another with --server',
          cause: error,
        });
      }
    }
  }
  if (existing !== undefined) throw new CommandError(`${existing}: there is such a name, but it has no ${type} record`);
  throw new CommandError(`${names[0]}: no such name`, { hint: `looked for ${names.join(', ')}` });
}

async function resolveOne(resolver: Resolver, name: string, type: RecordType): Promise<Answer[]> {
  const answers = (all: readonly string[]): Answer[] => all.map((data) => ({ name, type, data }));
  switch (type) {
    case 'A':
      return answers(await resolver.resolve4(name));
    case 'AAAA':
      return answers(await resolver.resolve6(name));
    case 'CNAME':
      return answers(await resolver.resolveCname(name));
    case 'TXT':
      return answers((await resolver.resolveTxt(name)).map((parts) => parts.join('')));
    case 'SRV':
      return answers(
        (await resolver.resolveSrv(name)).map((srv) => `${srv.priority} ${srv.weight} ${srv.port} ${srv.name}`),
      );
    case 'PTR':
      return answers(/^[\d.]+$|:/.test(name) ? await resolver.reverse(name) : await resolver.resolvePtr(name));
    default:
      return type satisfies never;
  }
}
