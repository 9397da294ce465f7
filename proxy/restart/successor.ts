import net from 'node:net';
import type { Clock } from '../../kit/clock.ts';
import type { ListeningSocket } from '../engine.ts';
import { descriptorOf } from '../socket/descriptor.ts';
import { openDescriptorPassing } from './pass-descriptors.ts';
import { type Handover, WORDS } from './words.ts';

/** A running proxy whose sockets this process has. */
export interface Takeover {
  readonly workers: number;
  readonly sockets: readonly ListeningSocket[];
  /** Has the process before stop accepting; resolves when it does, or is gone. To be called when this one accepts. */
  finish(): Promise<void>;
  /** This process gives up: the one before goes on. */
  abandon(): void;
}

const HANDOVER_WITHIN_MS = 5000;
const LOOK_EVERY_MS = 2;

/** Takes the listening sockets of the process that waits at the path; undefined when none does, or it cannot give them. */
export async function takeOver(path: string, clock: Clock): Promise<Takeover | undefined> {
  const socket = await connected(path);
  if (socket === undefined) return undefined;
  const from = descriptorOf(socket);
  const passing = openDescriptorPassing();
  if (from === undefined || passing === undefined) {
    socket.destroy();
    return undefined;
  }
  socket.write(`${WORDS.takeOver}\n`);
  const sockets: ListeningSocket[] = [];
  const until = clock.monotonic() + HANDOVER_WITHIN_MS;
  while (clock.monotonic() < until) {
    const message = passing.receive(from);
    if (message === undefined) {
      await clock.sleep(LOOK_EVERY_MS);
      continue;
    }
    const handover = JSON.parse(message.text) as Handover;
    handover.sockets.forEach((each, at) => void sockets.push({ ...each, fd: message.descriptors[at] ?? -1 }));
    if (handover.more) continue;
    return { workers: handover.workers, sockets, finish: () => finish(socket), abandon: () => void socket.destroy() };
  }
  socket.destroy();
  return undefined;
}

/** Paused, so that Node reads nothing: what it reads comes without its descriptors. */
function connected(path: string): Promise<net.Socket | undefined> {
  return new Promise((resolve) => {
    const socket = new net.Socket().pause();
    socket.on('error', () => resolve(undefined));
    socket.connect(path, () => resolve(socket));
  });
}

function finish(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('close', () => resolve());
    socket.resume();
    socket.write(`${WORDS.ready}\n`);
  });
}
