import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { program } from './programs.ts';

/** A real redis-server on a Unix socket in a folder of its own, with an append-only file. */
export interface RedisServer {
  /** `unix:///tmp/…/redis.sock` */
  readonly url: string;
  readonly folder: string;
  readonly socketPath: string;
  /** As `kill -s`. SIGSTOP pauses it, SIGCONT lets it go on. */
  signal(signal: NodeJS.Signals): void;
  /** Kills it as -9 does, and starts it again on what it has on disk. */
  crash(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it and removes its folder. */
  dispose(): Promise<void>;
}

export async function startRedisServer(settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-redis-'));
  const socketPath = join(folder, 'redis.sock');
  const flags = Object.entries({
    port: '0',
    unixsocket: socketPath,
    unixsocketperm: '700',
    dir: folder,
    appendonly: 'yes',
    appendfsync: 'always',
    'maxmemory-policy': 'noeviction',
    save: '',
    ...settings,
  }).flatMap(([name, value]) => [`--${name}`, value]);
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = spawn(program('redis-server'), flags, { stdio: 'ignore' });
    await eventually('redis-server answers', () => pings(socketPath));
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  const server: RedisServer = {
    url: `unix://${socketPath}`,
    folder,
    socketPath,
    signal: (signal) => void child?.kill(signal),
    crash: async () => {
      await end('SIGKILL');
      await start();
    },
    start,
    stop: () => end('SIGTERM'),
    dispose: async () => {
      await end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await start();
  } catch (error) {
    await server.dispose();
    throw error;
  }
  return server;
}

/** Whether it has loaded what it has on disk and serves; one that asks for a password serves too. */
function pings(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.write('PING\r\n'));
    socket.on('data', (data) => {
      resolve(/PONG|NOAUTH/.test(data.toString()));
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
    socket.setTimeout(1000, () => {
      resolve(false);
      socket.destroy();
    });
  });
}
