import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../kit/clock.ts';
import type { Responder, Response } from './responder.ts';
import { FrameReader, frame } from './tcp-frames.ts';

/** RFC 7766 section 6.2.3 asks for seconds; resolvers that come again open anew. */
const IDLE_TIMEOUT_MS = 10_000;
/** Answers that a connection may still wait for or not have read; above it nothing more is read from it. */
const MAX_PENDING = 100;

/** Serves one client's connection: questions one after the other, answers as they come (RFC 7766 section 6.2.1.1). */
export function serveConnection(socket: Socket, responder: Responder, clock: Clock): void {
  const frames = new FrameReader();
  let pending = 0;
  let ended = false;
  let idle: Timer = clock.timer(IDLE_TIMEOUT_MS, () => socket.destroy());

  const answered = (answer: Response): void => {
    pending--;
    if (socket.destroyed) return;
    if (answer !== undefined && !socket.write(frame(answer))) socket.pause();
    if (pending < MAX_PENDING && !socket.writableNeedDrain) socket.resume();
    if (ended && pending === 0) socket.end();
  };
  socket.on('data', (chunk: Buffer) => {
    idle.stop();
    idle = clock.timer(IDLE_TIMEOUT_MS, () => socket.destroy());
    for (const query of frames.push(chunk)) {
      pending++;
      void Promise.resolve(responder.respond(query, 'tcp')).then(answered);
    }
    if (pending >= MAX_PENDING) socket.pause();
  });
  socket.on('drain', () => {
    if (pending < MAX_PENDING) socket.resume();
  });
  socket.on('end', () => {
    ended = true;
    if (pending === 0) socket.end();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => idle.stop());
}
