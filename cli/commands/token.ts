import { randomInt } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Command } from 'commander';
import { caPins } from '../../api/client/ca-pin.ts';
import { type ClusterInfo, readClusterInfo } from '../../api/client/cluster-info.ts';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { type Secret, secretKind } from '../../api/kinds/secret.ts';
import { humanDuration } from '../../api/meta/human-duration.ts';
import {
  CLUSTER_INFO,
  JOIN_TOKEN_NAMESPACE,
  JOIN_TOKEN_PREFIX,
  JOIN_TOKEN_TYPE,
  TOKEN_USED_AT,
  TOKEN_USED_BY,
} from '../../api/meta/well-known.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { type ClusterOptions, withClusterOptions, withOutputOption } from '../cluster/options.ts';
import { withCluster } from '../cluster/with-cluster.ts';
import { parseDuration } from '../output/duration.ts';
import { CommandError } from '../output/exit-codes.ts';
import { DATA_FORMATS, parseFormat, renderData } from '../output/format.ts';
import { renderTable } from '../output/table.ts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
const ID_LENGTH = 6;
const SECRET_LENGTH = 16;

interface CreateOptions extends ClusterOptions {
  readonly ttl: string;
  readonly description?: string;
}

/** What is known of a join token. */
interface JoinToken {
  readonly token: string;
  /** Undefined for one that never expires. */
  readonly expires: string | undefined;
  readonly usedBy: string | undefined;
  readonly usedAt: string | undefined;
  readonly description: string | undefined;
}

/** Join tokens, kept as Kubernetes keeps bootstrap tokens: what `kubeadm token` shows and makes is the same. */
export function registerToken(program: Command, context: CommandContext): void {
  const token = program.command('token').description('join tokens, by which machines become nodes');
  registerCreate(token, context);
  registerList(token, context);
  const remove = token
    .command('delete')
    .description('take tokens back; nodes that have joined stay')
    .argument('<tokens...>', 'tokens, or the six characters before the dot')
    .addHelpText('after', '\nExample:\n  tutti token delete abcdef');
  withClusterOptions(remove).action(async (given: string[], options: ClusterOptions) => {
    const ids = given.map(tokenId);
    await withCluster(context, options, async ({ client }) => {
      for (const id of ids) {
        await client.delete(secretKind, { namespace: JOIN_TOKEN_NAMESPACE, name: JOIN_TOKEN_PREFIX + id });
        context.terminal.out(`join token "${id}" deleted\n`);
      }
    });
  });
}

function registerCreate(token: Command, context: CommandContext): void {
  const command = token
    .command('create')
    .description('make a token, and print the command that joins a machine with it')
    .option('--ttl <duration>', 'how long it is good; 0 for ever', '24h')
    .option('--description <text>', 'what it is for')
    .addHelpText('after', '\nExamples:\n  tutti token create\n  tutti token create --ttl 15m --description "rack 4"');
  withOutputOption(withClusterOptions(command)).action(async (options: CreateOptions) => {
    const format = parseFormat(options.output, DATA_FORMATS);
    const ttlMs = options.ttl === '0' ? 0 : parseDuration('--ttl', options.ttl);
    await withCluster(context, options, async (cluster) => {
      const info = await clusterInfo(cluster);
      const expires = ttlMs === 0 ? undefined : instant(context.clock.now() + ttlMs);
      const made = await createToken(cluster, { expires, description: options.description });
      const pins = caPins(info.caPem);
      const joinCommand = `tutti agent --join ${info.server} --token ${made} ${pins.map((pin) => `--ca-cert-hash ${pin}`).join(' ')}`;
      const { terminal } = context;
      if (format === undefined) terminal.out(`${joinCommand}\n`);
      else {
        const answer = { token: made, server: info.server, caCertHashes: pins, joinCommand };
        terminal.out(renderData(expires === undefined ? answer : { ...answer, expires }, format));
      }
      terminal.err(`the token lets one node in${expires === undefined ? '' : `, until ${expires}`}\n`);
      const { hostname } = new URL(info.server);
      if (hostname === 'localhost' || (isIPv4(hostname) && hostname.startsWith('127.')))
        terminal.err(
          `${terminal.style('yellow', 'warning:')} ${info.server} can be reached from this machine alone; start the control plane with --bind-address and --advertise-address to let others join\n`,
        );
    });
  });
}

function registerList(token: Command, context: CommandContext): void {
  const command = token
    .command('list')
    .description('the tokens that there are, and which node each let in')
    .addHelpText('after', '\nExample:\n  tutti token list');
  withOutputOption(withClusterOptions(command)).action(async (options: ClusterOptions) => {
    const format = parseFormat(options.output, DATA_FORMATS);
    await withCluster(context, options, async ({ client }) => {
      const { items } = await client.list(secretKind, {
        namespace: JOIN_TOKEN_NAMESPACE,
        fieldSelector: `type=${JOIN_TOKEN_TYPE}`,
      });
      const tokens = items.map(tokenIn);
      const { terminal, clock } = context;
      if (format !== undefined) terminal.out(renderData(tokens, format));
      else if (tokens.length === 0) terminal.err('no join tokens; make one with "tutti token create"\n');
      else
        terminal.out(
          renderTable(
            ['TOKEN', 'EXPIRES', 'USED BY', 'DESCRIPTION'],
            tokens.map((each) => row(each, clock.now())),
          ),
        );
    });
  });
}

async function clusterInfo({ client, server }: Cluster): Promise<ClusterInfo> {
  const { data } = await client.get(configMapKind, { namespace: 'kube-public', name: CLUSTER_INFO });
  const info = readClusterInfo(data);
  if (info !== undefined) return info;
  throw new CommandError(`API server ${server}: its cluster-info is not that of a Tutti control plane`);
}

interface NewToken {
  readonly expires: string | undefined;
  readonly description: string | undefined;
}

/** Fields as in Kubernetes' documentation, "Bootstrap Token Secret Format". */
async function createToken({ client }: Cluster, { expires, description }: NewToken): Promise<string> {
  const [id, secret] = [randomText(ID_LENGTH), randomText(SECRET_LENGTH)];
  await client.create(secretKind, {
    metadata: { namespace: JOIN_TOKEN_NAMESPACE, name: JOIN_TOKEN_PREFIX + id },
    type: JOIN_TOKEN_TYPE,
    stringData: {
      'token-id': id,
      'token-secret': secret,
      'usage-bootstrap-authentication': 'true',
      ...(expires === undefined ? {} : { expiration: expires }),
      ...(description === undefined ? {} : { description }),
    },
  });
  return `${id}.${secret}`;
}

function randomText(length: number): string {
  return Array.from({ length }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
}

function tokenIn({ metadata, data = {} }: Secret): JoinToken {
  const text = (name: string): string | undefined =>
    data[name] === undefined ? undefined : Buffer.from(data[name], 'base64').toString();
  return {
    token: `${text('token-id') ?? ''}.${text('token-secret') ?? ''}`,
    expires: text('expiration'),
    usedBy: metadata.annotations?.[TOKEN_USED_BY],
    usedAt: metadata.annotations?.[TOKEN_USED_AT],
    description: text('description'),
  };
}

function row({ token, expires, usedBy, description }: JoinToken, nowMs: number): readonly string[] {
  const leftMs = expires === undefined ? undefined : Date.parse(expires) - nowMs;
  const left = leftMs === undefined ? 'never' : leftMs <= 0 ? 'expired' : `in ${humanDuration(leftMs)}`;
  return [token, left, usedBy ?? '<none>', description ?? ''];
}

function tokenId(given: string): string {
  const [, id] = /^([a-z0-9]{6})(?:\.[a-z0-9]{16})?$/.exec(given) ?? [];
  if (id !== undefined) return id;
  throw new CommandError('token: must have the form abcdef or abcdef.0123456789abcdef', { exit: 'usage' });
}

function instant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
