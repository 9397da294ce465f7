import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock } from '../../kit/clock.ts';
import { FrameReader, frame } from './tcp-frames.ts';
import type { Upstream } from './upstream.ts';
import { HEADER_BYTES } from './wire/parse.ts';

export interface ExchangeOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** One question to one server and its answer. Undefined: none in time, or the server cannot be reached. */
export type Exchange = (
  upstream: Upstream,
  query: Uint8Array,
  options: ExchangeOptions,
) => Promise<Uint8Array | undefined>;

/**
 * Over UDP, from a socket of its own: its port is the system's choice and with the id is what a forger would have to guess
 * (RFC 5452). What does not answer the question is passed over.
 */
export const exchangeUdp: Exchange = ({ address, port }, query, options) => {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  return settleOnce(options, (settle) => {
    socket.on('error', () => settle(undefined));
    socket.on('message', (answer) => {
      if (answersQuery(query, answer)) settle(answer);
    });
    // A connected socket takes packets from this server only, and hears that nothing listens there.
    socket.connect(port, address, () => {
      socket.send(query, (error) => {
        if (error !== null) settle(undefined);
      });
    });
    return () => socket.close();
  });
};

/** Over TCP, a connection a question (RFC 7766 allows more; truncated answers are too rare to keep one). */
export const exchangeTcp: Exchange = ({ address, port }, query, options) =>
  settleOnce(options, (settle) => {
    const socket = connect(port, address, () => socket.write(frame(query)));
    const frames = new FrameReader();
    socket.on('error', () => settle(undefined));
    socket.on('close', () => settle(undefined));
    socket.on('data', (chunk: Buffer) => {
      for (const answer of frames.push(chunk)) if (answersQuery(query, answer)) settle(answer);
    });
    return () => socket.destroy();
  });

type Settle = (answer: Uint8Array | undefined) => void;

/** Runs until the first of: an answer, the time-out, the signal; then closes what `start` opened. */
function settleOnce(
  { clock, timeoutMs, signal }: ExchangeOptions,
  start: (settle: Settle) => () => void,
): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    let settled = false;
    let close = (): void => {};
    const onAbort = (): void => settle(undefined);
    const settle: Settle = (answer) => {
      if (settled) return;
      settled = true;
      timer.stop();
      signal.removeEventListener('abort', onAbort);
      close();
      resolve(answer);
    };
    const timer = clock.timer(timeoutMs, onAbort);
    signal.addEventListener('abort', onAbort, { once: true });
    close = start(settle);
    if (signal.aborted) settle(undefined);
  });
}

/** RFC 5452 section 9.1: same id and the very question, case and all (which with 0x20 is one more thing to guess). */
function answersQuery(query: Uint8Array, answer: Uint8Array): boolean {
  const end = endOfQuestion(query);
  if (answer.length < end || ((answer[2] ?? 0) & 0x80) === 0) return false;
  if (answer[0] !== query[0] || answer[1] !== query[1] || answer[4] !== 0 || answer[5] !== 1) return false;
  for (let at = HEADER_BYTES; at < end; at++) if (answer[at] !== query[at]) return false;
  return true;
}

/** Of a query that we made: one question, its name not compressed. */
function endOfQuestion(query: Uint8Array): number {
  let at = HEADER_BYTES;
  while ((query[at] ?? 0) !== 0) at += (query[at] ?? 0) + 1;
  return at + 5;
}
