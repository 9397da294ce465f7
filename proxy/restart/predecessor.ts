import { chmodSync, rmSync } from 'node:fs';
import net from 'node:net';
import { dirname } from 'node:path';
import type { Logger } from '../../kit/log.ts';
import { makeFolder } from '../../kit/make-folder.ts';
import type { ListeningSocket } from '../engine.ts';
import { descriptorOf } from '../socket/descriptor.ts';
import { listen } from '../socket/listen.ts';
import { type DescriptorPassing, MAX_DESCRIPTORS, openDescriptorPassing } from './pass-descriptors.ts';
import { type Handover, WORDS } from './words.ts';

export interface PredecessorOptions {
  readonly path: string;
  readonly workers: number;
  readonly log: Logger;
  /** All that this process listens on. */
  readonly sockets: () => Promise<readonly ListeningSocket[]>;
  /** Stops accepting; the successor has the sockets and is ready. */
  readonly leave: () => Promise<void>;
}

/** A process that waits for its successor. */
export interface Predecessor {
  /** Resolves when the successor has taken over; never when none does. */
  readonly succeeded: Promise<void>;
  close(): Promise<void>;
}

const MAX_REQUEST_CHARS = 64;

/** Offers the listening sockets to a successor that comes to the path. One that fails before it is ready changes nothing. A path that
 * cannot be listened at (too long: unix(7) has room for 107 bytes) is a warning: the proxy works without. */
export async function awaitSuccessor(options: PredecessorOptions): Promise<Predecessor> {
  const { path, log } = options;
  const succeeded = Promise.withResolvers<void>();
  const server = net.createServer((socket) => {
    let heard = '';
    let isTold = false;
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      heard += data.toString();
      if (heard.length > MAX_REQUEST_CHARS) socket.destroy();
      if (heard === `${WORDS.takeOver}\n` && !isTold) {
        isTold = true;
        void handOver(socket, options);
      } else if (isTold && heard.endsWith(`${WORDS.ready}\n`)) {
        void letGo(socket, server, options).then(succeeded.resolve, (error: unknown) => {
          log.error({ error }, 'hot restart: could not let go');
          socket.destroy();
        });
      }
    });
  });
  try {
    makeFolder(dirname(path));
    // Of a process that was killed.
    rmSync(path, { force: true });
    await listen(server, { path });
    chmodSync(path, 0o600);
  } catch (error) {
    log.warn(
      { error },
      `hot restart: cannot wait for a successor at "${path}"; this proxy can only be stopped and started`,
    );
    server.close();
  }
  return { succeeded: succeeded.promise, close: () => closed(server) };
}

async function handOver(socket: net.Socket, { workers, log, sockets }: PredecessorOptions): Promise<void> {
  const passing = openDescriptorPassing();
  const to = descriptorOf(socket);
  const all = await sockets();
  if (passing === undefined || to === undefined || !sendAll(passing, to, workers, all)) {
    log.warn('hot restart: the sockets cannot be handed over; it takes Linux and Node 26');
    socket.destroy();
    return;
  }
  log.info({ sockets: all.length }, 'hot restart: a successor has the listening sockets');
}

function sendAll(passing: DescriptorPassing, to: number, workers: number, all: readonly ListeningSocket[]): boolean {
  for (let at = 0; at === 0 || at < all.length; at += MAX_DESCRIPTORS) {
    const some = all.slice(at, at + MAX_DESCRIPTORS);
    const handover: Handover = {
      workers,
      sockets: some.map(({ worker, key }) => ({ worker, key })),
      more: at + MAX_DESCRIPTORS < all.length,
    };
    if (!passing.send(to, { text: JSON.stringify(handover), descriptors: some.map(({ fd }) => fd) })) return false;
  }
  return true;
}

async function letGo(socket: net.Socket, server: net.Server, { leave }: PredecessorOptions): Promise<void> {
  // Before the word: the successor listens at the same path then.
  const gone = closed(server);
  await leave();
  socket.end(`${WORDS.left}\n`);
  await gone;
}

function closed(server: net.Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
