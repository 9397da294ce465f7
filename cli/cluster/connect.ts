import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { httpClient } from '../../api/client/http-client.ts';
import { type Connection, readKubeconfig } from '../../api/client/kubeconfig.ts';
import { openStreamSocket } from '../../api/client/stream-socket.ts';
import { CommandError } from '../output/exit-codes.ts';
import type { Terminal } from '../output/terminal.ts';
import type { Cluster, ConnectOptions } from './context.ts';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly terminal: Terminal;
}

/** Opens the way to the API server that the kubeconfig names. Throws CommandError when there is none, or none that can be read. */
export async function openCluster(options: ConnectOptions, surroundings: Surroundings): Promise<Cluster> {
  const path = findKubeconfig(options.kubeconfig, surroundings);
  const { server, caPem, insecureSkipTlsVerify, credentials, namespace } = await read(path, options.context);
  const { terminal } = surroundings;
  const client = httpClient({
    server,
    caPem,
    insecureSkipTlsVerify,
    credentials,
    userAgent: 'tutti',
    onWarning: (warning) => terminal.err(`${terminal.style('yellow', 'warning:')} ${warning}\n`),
  });
  return {
    client,
    server,
    certificatePem: credentials.kind === 'certificate' ? credentials.certificatePem : undefined,
    namespace,
    get: (at, accept) => client.request('GET', at, accept === undefined ? {} : { headers: { accept } }),
    post: (at, body) => client.request('POST', at, { body }),
    stream: (at, signal, accept) => client.stream(at, accept === undefined ? { signal } : { signal, accept }),
    openStream: (at) => openStreamSocket({ server, caPem, insecureSkipTlsVerify, credentials, userAgent: 'tutti' }, at),
    close: () => client.close(),
  };
}

/**
 * --kubeconfig, $KUBECONFIG, the one that `tutti up` wrote in this folder, then kubectl's own place. Of several files in
 * $KUBECONFIG the first that exists counts; they are not merged.
 */
function findKubeconfig(given: string | undefined, { env, cwd }: Surroundings): string {
  if (given !== undefined) return given;
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const home = env['HOME'];
  const usual = [join(cwd, '.tutti', 'kubeconfig'), ...(home === undefined ? [] : [join(home, '.kube', 'config')])];
  const places = listed.length > 0 ? listed : usual;
  const found = places.find((path) => existsSync(path));
  if (found === undefined) {
    throw new CommandError(`kubeconfig: none found; looked for ${places.join(', ')}`, {
      exit: 'unreachable',
      hint: 'start a cluster with "tutti up", run this where it was started, or name one with --kubeconfig',
    });
  }
  return found;
}

async function read(path: string, context: string | undefined): Promise<Connection> {
  try {
    return await readKubeconfig(path, { context });
  } catch (error) {
    throw new CommandError((error as Error).message, { cause: error });
  }
}
