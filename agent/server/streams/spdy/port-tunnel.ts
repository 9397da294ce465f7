import type { Socket } from 'node:net';
import type { PodWorker } from '../../../pod/pod-worker.ts';
import { appPort, connectApp } from '../app-port.ts';
import type { MessageSocket } from '../message-socket.ts';
import { portOf } from '../stream-request.ts';
import {
  dataFrame,
  type Frame,
  FrameReader,
  GOAWAY,
  HEADERS,
  PING,
  PROTOCOL_ERROR,
  pingFrame,
  REFUSED_STREAM,
  RST_STREAM,
  replyFrame,
  resetFrame,
  SYN_STREAM,
} from './frames.ts';
import { HeaderReader, noHeaders } from './headers.ts';

/** Two for each connection that is forwarded at a time. */
const MAX_STREAMS = 1024;
/** While the app's connection is being made. */
const MAX_EARLY_BYTES = 4 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * Forwards any number of connections over one SPDY connection within a WebSocket: for each the client opens a stream of
 * `streamtype: error` and one of `streamtype: data` with the same `requestid` (client-go tools/portforward).
 */
export async function servePortTunnel(worker: PodWorker, socket: MessageSocket): Promise<void> {
  const tunnel = new PortTunnel(worker, socket);
  try {
    await tunnel.ended;
  } finally {
    tunnel.close();
  }
}

interface Forward {
  readonly port: string;
  error?: number;
  data?: number;
  app?: Socket;
  /** What came for the app before it was connected. */
  early: Frame[];
}

class PortTunnel {
  readonly #worker: PodWorker;
  readonly #socket: MessageSocket;
  readonly #frames = new FrameReader();
  readonly #headers = new HeaderReader();
  readonly #forwards = new Map<string, Forward>();
  readonly #byStream = new Map<number, Forward>();
  #hasReplied = false;
  #work: Promise<void> = Promise.resolve();
  /** Rejects when the client does not speak the protocol. */
  readonly ended: Promise<void>;

  constructor(worker: PodWorker, socket: MessageSocket) {
    this.#worker = worker;
    this.#socket = socket;
    this.ended = new Promise((resolve, reject) => {
      socket.gone.addEventListener('abort', () => resolve(), { once: true });
      if (socket.gone.aborted) resolve();
      // Headers are read in their own time; what follows them waits for its turn.
      socket.onMessage((message) => {
        this.#work = this.#work.then(() => this.#take(message)).catch(reject);
      });
    });
  }

  close(): void {
    this.#headers.close();
    for (const { app } of this.#byStream.values()) app?.destroy();
  }

  async #take(message: Buffer): Promise<void> {
    for (const frame of this.#frames.push(message)) {
      if (frame.type === 'data') this.#data(frame);
      else await this.#control(frame.kind, frame.payload);
    }
  }

  async #control(kind: number, payload: Buffer): Promise<void> {
    switch (kind) {
      case SYN_STREAM:
        if (payload.length < 10) throw new Error('SPDY SYN_STREAM: cut short');
        await this.#open(payload.readUInt32BE(0) & 0x7f_ff_ff_ff, await this.#headers.read(payload.subarray(10)));
        return;
      case HEADERS:
        // Not asked for, but part of what later ones are compressed with.
        await this.#headers.read(payload.subarray(4));
        return;
      case RST_STREAM:
        if (payload.length >= 4) this.#reset(payload.readUInt32BE(0));
        return;
      case PING:
        await this.#socket.send(pingFrame(payload));
        return;
      case GOAWAY:
        await this.#socket.close();
        return;
      default:
        // Settings and windows: neither side limits what the other may send but by not reading.
        return;
    }
  }

  async #open(stream: number, headers: ReadonlyMap<string, string>): Promise<void> {
    const type = headers.get('streamtype');
    const port = headers.get('port') ?? '';
    const request = headers.get('requestid') ?? '';
    if (this.#byStream.size >= MAX_STREAMS) {
      await this.#socket.send(resetFrame(stream, REFUSED_STREAM));
      return;
    }
    const forward = this.#forwards.get(request) ?? { port, early: [] };
    if ((type !== 'error' && type !== 'data') || forward.port !== port || forward[type] !== undefined) {
      await this.#socket.send(resetFrame(stream, PROTOCOL_ERROR));
      return;
    }
    forward[type] = stream;
    this.#forwards.set(request, forward);
    this.#byStream.set(stream, forward);
    await this.#socket.send(replyFrame(stream, noHeaders(this.#hasReplied ? 'later' : 'first of the connection')));
    this.#hasReplied = true;
    const { error, data } = forward;
    if (error === undefined || data === undefined) return;
    this.#forwards.delete(request);
    void this.#forward(forward, error, data);
  }

  /** Connects, carries what the app sends, and ends both streams. */
  async #forward(forward: Forward, error: number, data: number): Promise<void> {
    try {
      const app = await this.#connect(forward.port);
      app.on('error', () => undefined);
      forward.app = app;
      // Nobody waits any more.
      if (!this.#byStream.has(data)) app.destroy();
      for (const frame of forward.early.splice(0)) this.#give(app, frame);
      try {
        for await (const piece of app as AsyncIterable<Buffer>) await this.#socket.send(dataFrame(data, piece));
      } catch {
        // Cut off by one of the two.
      }
      app.destroy();
    } catch (cause) {
      const { name } = this.#worker.pod.metadata;
      const why = `error forwarding port ${forward.port} to pod ${name}: ${(cause as Error).message}`;
      await this.#socket.send(dataFrame(error, Buffer.from(why)));
    }
    await this.#socket.send(dataFrame(error, NOTHING, 'last'));
    if (this.#byStream.has(data)) await this.#socket.send(dataFrame(data, NOTHING, 'last'));
    this.#byStream.delete(error);
    this.#byStream.delete(data);
  }

  async #connect(text: string): Promise<Socket> {
    const port = portOf(text);
    if (port === undefined) throw new Error('not a port');
    const real = appPort(this.#worker, port);
    if (!real.ok) throw new Error(real.message);
    return await connectApp(real.port, this.#socket.gone);
  }

  #data(frame: Extract<Frame, { type: 'data' }>): void {
    const forward = this.#byStream.get(frame.stream);
    // The error stream has nothing from the client, and of a stream that has ended a rest may be under way.
    if (forward?.data !== frame.stream) return;
    if (forward.app === undefined) this.#keep(forward, frame);
    else this.#give(forward.app, frame);
  }

  #keep(forward: Forward, frame: Frame): void {
    if (forward.early.reduce((bytes, { payload }) => bytes + payload.length, frame.payload.length) > MAX_EARLY_BYTES) {
      throw new Error(`more than ${MAX_EARLY_BYTES} bytes before the app has taken the connection`);
    }
    forward.early.push(frame);
  }

  #give(app: Socket, { payload, isLast }: Frame): void {
    if (payload.length > 0) this.#socket.write(app, payload);
    if (isLast) app.end();
  }

  #reset(stream: number): void {
    const forward = this.#byStream.get(stream);
    this.#byStream.delete(stream);
    if (forward?.data === stream) forward.app?.destroy();
  }
}
