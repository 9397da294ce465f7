import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Clock } from '../../../kit/clock.ts';
import type { Logger } from '../../../kit/log.ts';
import type { PodWorker } from '../../pod/pod-worker.ts';
import type { Pods } from '../../pod/pods.ts';
import type { ContainerStatus, Runtime } from '../../runtime/runtime.ts';
import { MessageSocket } from './message-socket.ts';
import { MAX_PORTS, servePortChannels } from './port-channels.ts';
import { serveAttach, serveExec, serveRefusal } from './program-streams.ts';
import { servePortTunnel } from './spdy/port-tunnel.ts';
import { chooseProtocol, SPDY_TUNNEL, type StreamProtocol } from './stream-protocol.ts';
import { readStreamRequest, type StreamRequest } from './stream-request.ts';

export interface StreamsOptions {
  readonly pods: Pods;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends all streams. */
  readonly closing: AbortSignal;
}

/** Largest message of a client. kubectl sends 32 KiB at a time. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Most streams of the node at a time: each may be a process. */
const MAX_STREAMS = 256;

/** What is wrong with a request, as an HTTP status and words. */
interface Refusal {
  readonly code: number;
  readonly message: string;
}

/** A request that can be served, with what it is of. */
type Serving = (socket: MessageSocket) => Promise<void>;

/** exec, attach and portForward: requests that become WebSockets. */
export class StreamsServer {
  readonly #options: StreamsOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
  });
  readonly #protocols = new WeakMap<IncomingMessage, StreamProtocol>();
  #open = 0;

  constructor(options: StreamsOptions) {
    this.#options = options;
    // The name of the tunnel's protocol holds a slash, which the server would refuse as no token (RFC 6455, 4.1).
    this.#server.on('headers', (headers, request) => {
      const protocol = this.#protocols.get(request);
      if (protocol !== undefined) headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
    });
  }

  /** Takes over the connection of a request of one who may ask. */
  upgrade(request: IncomingMessage, connection: Duplex, head: Buffer): void {
    const planned = this.#plan(request);
    if (!planned.ok) {
      refuse(connection, planned);
      return;
    }
    this.#protocols.set(request, planned.protocol);
    delete request.headers['sec-websocket-protocol'];
    const { clock, log, closing } = this.#options;
    this.#server.handleUpgrade(request, connection, head, (webSocket) => {
      const socket = new MessageSocket(webSocket, clock, closing);
      this.#open++;
      planned
        .serve(socket)
        .catch(async (error: unknown) => {
          log.warn({ error, url: request.url }, 'a stream to a pod failed');
          await socket.close(1011, 'see the log of the agent');
        })
        .finally(() => this.#open--);
    });
  }

  #plan(request: IncomingMessage): { ok: true; serve: Serving; protocol: StreamProtocol } | ({ ok: false } & Refusal) {
    const read = readStreamRequest(new URL(request.url ?? '/', 'https://agent'));
    if (read === undefined) return { ok: false, code: 404, message: `not found: ${request.url ?? ''}` };
    if (!read.ok) return { ok: false, code: 400, message: read.message };
    if (this.#open >= MAX_STREAMS) {
      return { ok: false, code: 429, message: `too many open streams on this node: at most ${MAX_STREAMS}` };
    }
    const choice = chooseProtocol(read.request.type, request.headers['sec-websocket-protocol']);
    if (!choice.ok) return { ok: false, code: 400, message: choice.message };
    const serve = this.#serving(read.request, choice.protocol);
    return 'code' in serve ? { ok: false, ...serve } : { ok: true, serve: serve.serve, protocol: choice.protocol };
  }

  #serving(request: StreamRequest, protocol: StreamProtocol): { readonly serve: Serving } | Refusal {
    const { pods, runtime } = this.#options;
    const worker = pods.find(request.namespace, request.pod);
    if (worker === undefined) return { code: 404, message: `pod "${request.pod}" not found` };
    if (request.type === 'portForward') return servingPorts(worker, request.ports, protocol);
    const run = worker.run(request.container, 0);
    if (run?.state.type !== 'running') {
      const message = notRunning(request.container, worker, run);
      return { serve: (socket) => serveRefusal(socket, message) };
    }
    if (request.type === 'exec') {
      return { serve: (socket) => serveExec({ runtime, socket, protocol, key: run.key }, request) };
    }
    if (request.stdin || request.terminal) {
      const message = `attach to container "${request.container}": containers here have neither standard input nor a terminal; attach without -i and -t, or use exec`;
      return { serve: (socket) => serveRefusal(socket, message) };
    }
    return { serve: (socket) => serveAttach({ runtime, socket, protocol, key: run.key }) };
  }
}

function servingPorts(
  worker: PodWorker,
  ports: readonly number[],
  protocol: StreamProtocol,
): { readonly serve: Serving } | Refusal {
  if (protocol === SPDY_TUNNEL) return { serve: (socket) => servePortTunnel(worker, socket) };
  if (ports.length === 0) return { code: 400, message: 'query parameter "port" is required' };
  if (ports.length > MAX_PORTS) return { code: 400, message: `${ports.length} ports: at most ${MAX_PORTS} at a time` };
  return { serve: (socket) => servePortChannels(worker, ports, { socket, protocol }) };
}

function notRunning(container: string, { pod }: PodWorker, run: ContainerStatus | undefined): string {
  const state = run?.state;
  const why = state?.type === 'exited' ? `it exited with code ${state.exitCode}` : 'it is waiting to start';
  return `container "${container}" in pod "${pod.metadata.name}" is not running: ${why}`;
}

/** An answer before the connection has become anything else. */
export function refuse(connection: Duplex, { code, message }: Refusal): void {
  const body = Buffer.from(`${message}\n`);
  connection.on('error', () => undefined);
  connection.end(
    Buffer.concat([
      Buffer.from(
        `HTTP/1.1 ${code} Refused\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
      ),
      body,
    ]),
  );
}
