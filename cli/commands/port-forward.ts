import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Command } from 'commander';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { type ClusterOptions, withClusterOptions } from '../cluster/options.ts';
import { resourcePath } from '../cluster/resources.ts';
import { CommandError } from '../output/exit-codes.ts';

const [DATA, ERROR] = [0, 1];
/** Each channel begins with its port. */
const PORT_BYTES = 2;

interface PortPair {
  /** 0 for the system's choice. */
  readonly local: number;
  readonly remote: number;
}

export function registerPortForward(program: Command, context: CommandContext): void {
  const command = program
    .command('port-forward')
    .description('make ports of a pod reachable on this machine, until Ctrl-C')
    .argument('<pod>', 'which pod')
    .argument('<ports...>', 'LOCAL:REMOTE, PORT for both, or :REMOTE for a free one here')
    .addHelpText('after', '\nExamples:\n  tutti port-forward web 8080\n  tutti port-forward web 9000:8080 :9090');
  withClusterOptions(command).action(async (given: string, ports: readonly string[], options: ClusterOptions) => {
    const pairs = ports.map(portPair);
    const cluster = await context.connect(options);
    const servers: Server[] = [];
    try {
      const namespace = options.namespace ?? cluster.namespace;
      const name = given.replace(/^(pods?|po)\//, '');
      requireRunning(await cluster.client.get(podKind, { namespace, name }));
      for (const pair of pairs) servers.push(await listen(pair, cluster, { namespace, name, context }));
      if (!context.signal.aborted) await once(context.signal, 'abort');
    } finally {
      for (const server of servers) server.close();
      await cluster.close();
    }
  });
}

function portPair(text: string): PortPair {
  const match = /^(?:(\d{0,5}):)?(\d{1,5})$/.exec(text);
  const remote = Number(match?.[2] ?? 0);
  const local = match?.[1] === undefined ? remote : Number(match[1]);
  if (remote < 1 || remote > 65_535 || local > 65_535) {
    throw new CommandError(`port "${text}": LOCAL:REMOTE, PORT or :REMOTE was wanted, from 1 to 65535`, {
      exit: 'usage',
    });
  }
  return { local, remote };
}

function requireRunning({ metadata, status }: Pod): void {
  if (status.phase === 'Running') return;
  throw new CommandError(`pod "${metadata.name}": not running but ${status.phase}`, {
    hint: `tutti describe pod ${metadata.name}`,
  });
}

interface Forwarding {
  readonly namespace: string;
  readonly name: string;
  readonly context: CommandContext;
}

async function listen({ local, remote }: PortPair, cluster: Cluster, forwarding: Forwarding): Promise<Server> {
  const { terminal, signal } = forwarding.context;
  const path = `${resourcePath(podKind, forwarding.namespace, forwarding.name)}/portforward?ports=${remote}`;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (connection) => {
    const cut = (): void => void connection.destroy();
    signal.addEventListener('abort', cut, { once: true });
    connection.once('close', () => signal.removeEventListener('abort', cut));
    connection.on('error', () => undefined);
    carry(connection, path, cluster).catch((error: unknown) => {
      connection.destroy();
      if (!signal.aborted) terminal.err(`${terminal.style('red', 'error:')} ${(error as Error).message}\n`);
    });
  });
  server.listen(local, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new CommandError(`port ${local}: ${(error as Error).message}`, {
      hint: `another local port: tutti port-forward ${forwarding.name} :${remote}`,
      cause: error,
    });
  }
  terminal.out(`Forwarding from 127.0.0.1:${(server.address() as AddressInfo).port} -> ${remote}\n`);
  return server;
}

/** One connection over a WebSocket of its own: none holds up another. */
async function carry(connection: Socket, path: string, cluster: Cluster): Promise<void> {
  const socket = await cluster.openStream(path);
  connection.once('close', () => socket.close());
  if (connection.destroyed) socket.close();
  void (async () => {
    try {
      for await (const piece of connection.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>)
        await socket.send(DATA, piece);
      await socket.end(DATA);
    } catch {
      // The other direction says why.
    }
  })();
  const begun = new Set<number>();
  for await (const { channel, bytes } of socket.messages()) {
    const rest = begun.has(channel) ? bytes : bytes.subarray(PORT_BYTES);
    begun.add(channel);
    if (rest.length === 0) continue;
    if (channel === ERROR) throw new Error(rest.toString('utf8'));
    if (channel === DATA && !connection.write(rest)) await once(connection, 'drain');
  }
  connection.end();
}
