import type net from 'node:net';
import type { MESH_BYTES_PROTOCOL } from '../../api/meta/well-known.ts';
import { Alarm } from '../../kit/timer-wheel.ts';
import type { ClusterState } from '../cluster/cluster-state.ts';
import type { EndpointState } from '../cluster/endpoint-state.ts';
import { BodyReader } from '../http1/body-reader.ts';
import type { BodySink } from '../http1/chunk-decoder.ts';
import { HeadReader, REFUSED } from '../http1/head-reader.ts';
import { MAX_DISCARDED_BYTES, MAX_HEAD_BYTES, MAX_INTERIM_RESPONSES } from '../http1/limits.ts';
import { responseTooLarge } from '../http1/partial-head.ts';
import { BAD_CHUNK, type Rejection, TOO_MANY_INTERIM, UNASKED_SWITCH } from '../http1/rejection.ts';
import { responseFraming } from '../http1/response-framing.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { trailerLines } from '../http1/trailers.ts';
import type { Runtime } from '../runtime.ts';
import { Outbox } from '../socket/outbox.ts';
import type { ByteReceiver } from '../socket/shared-read.ts';
import type { Tunnel } from '../socket/tunnel.ts';
import type { Carrier, CarrierUser, OutgoingHead } from './carrier.ts';
import { dial } from './dial.ts';
import { forgetIdle, keepIdle, retirementOf } from './pool.ts';

type Phase =
  /** TCP, or TLS with the check of the peer, is under way. */
  | 'connecting'
  | 'idle'
  /** A request is being sent or has been sent; its final head has not come. */
  | 'awaiting-head'
  | 'body'
  /** An answer that nobody wants is read to its end, so that the connection can be used again. */
  | 'discarding'
  | 'tunnel'
  | 'closed';

/** One HTTP/1.1 connection to an endpoint: carries one request at a time, and waits in the endpoint's pool between two. */
export class UpstreamConnection implements ByteReceiver, BodySink, Carrier {
  readonly socket: net.Socket;
  readonly outbox: Outbox;
  readonly endpoint: EndpointState;
  /** Of the identity it was made with; 0 without TLS. */
  readonly generation: number;
  /** It has carried a request before this one. */
  reused = false;
  #chunked = false;
  tunnel: Tunnel | undefined = undefined;
  readonly #runtime: Runtime;
  readonly #cluster: ClusterState;
  readonly #alarm: Alarm;
  readonly #retireAtMs: number;
  readonly #heads = new HeadReader(MAX_HEAD_BYTES, responseTooLarge);
  readonly #body = new BodyReader();
  #phase: Phase = 'connecting';
  #user: CarrierUser | undefined = undefined;
  #interim = 0;
  #keepAlive = false;
  #discarded = 0;

  /** `speaks`: to a proxy of the mesh, which takes it for requests or for bytes. */
  constructor(
    runtime: Runtime,
    cluster: ClusterState,
    endpoint: EndpointState,
    user: CarrierUser,
    speaks: 'http/1.1' | typeof MESH_BYTES_PROTOCOL,
  ) {
    this.#runtime = runtime;
    this.#cluster = cluster;
    this.endpoint = endpoint;
    this.generation = cluster.config.tls === undefined ? 0 : runtime.meshTls.generation;
    this.#user = user;
    this.#alarm = new Alarm(() => this.#alarmed());
    endpoint.opened++;
    this.socket = dial(runtime, cluster.config, endpoint.config, {
      receiver: this,
      protocol: speaks,
      connected: () => this.#connected(),
      failed: (message) => this.#failed(message),
    });
    this.outbox = new Outbox(this.socket);
    this.socket.setNoDelay(true);
    this.socket.on('drain', () => this.#drained());
    this.socket.on('end', () => this.#ended('the upstream closed the connection'));
    this.socket.on('error', (error) => this.#failed(error.message));
    this.socket.on('close', () => this.#failed('the connection was closed'));
    const now = runtime.clock.monotonic();
    this.#retireAtMs = retirementOf(cluster.config, now, runtime.random);
    runtime.wheel.set(this.#alarm, now, cluster.config.connectTimeoutMs);
  }

  get isConnecting(): boolean {
    return this.#phase === 'connecting';
  }

  /** Takes the connection out of the pool for a request. */
  use(user: CarrierUser): void {
    this.#user = user;
    this.#phase = 'awaiting-head';
    this.reused = true;
    this.outbox.written = false;
    this.#runtime.wheel.clear(this.#alarm);
  }

  get tunnelEnd(): net.Socket {
    return this.socket;
  }

  sendHead(head: OutgoingHead): void {
    this.#chunked = head.bodyBytes < 0;
    this.outbox.text(head.text);
  }

  sendBody(from: Buffer, start: number, end: number, text: string | undefined): void {
    if (this.#chunked) this.outbox.text(`${(end - start).toString(16)}\r\n`);
    if (text === undefined) this.outbox.bytes(from, start, end);
    else this.outbox.text(text);
    if (this.#chunked) this.outbox.text('\r\n');
  }

  sendText(text: string): void {
    if (text === '') return;
    this.outbox.text(this.#chunked ? `${text.length.toString(16)}\r\n${text}\r\n` : text);
  }

  sendEnd(trailers: string): void {
    if (this.#chunked) this.outbox.text(`0\r\n${trailers}\r\n`);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** False when the socket has more to carry than it should. */
  flush(): boolean {
    return this.outbox.flushSoon();
  }

  awaitHead(nowMs: number, timeoutMs: number): void {
    if (timeoutMs > 0 && this.#phase === 'awaiting-head') this.#runtime.wheel.set(this.#alarm, nowMs, timeoutMs);
  }

  close(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#user = undefined;
    this.#runtime.wheel.remove(this.#alarm);
    this.socket.destroy();
  }

  receive(from: Buffer, count: number): void {
    switch (this.#phase) {
      case 'awaiting-head':
        this.#readHead(from, 0, count);
        break;
      case 'body':
      case 'discarding':
        this.#readBody(from, 0, count);
        break;
      case 'tunnel':
        this.tunnel?.fromUpstream(from, 0, count);
        return;
      case 'connecting':
      case 'idle':
        // Bytes that nobody asked for would be taken for the next request's answer (CVE-2026-48931).
        this.#failed('the upstream sent bytes that nobody asked for');
        return;
      case 'closed':
        return;
      default:
        this.#phase satisfies never;
    }
    this.#user?.flushDownload();
  }

  bodyBytes(from: Buffer, start: number, end: number): void {
    if (this.#phase === 'discarding') this.#discarded += end - start;
    else this.#user?.download(from, start, end);
  }

  /** From here on bytes go through untouched. */
  joinTunnel(tunnel: Tunnel): void {
    this.outbox.flush();
    this.#phase = 'tunnel';
    this.tunnel = tunnel;
    this.#runtime.wheel.clear(this.#alarm);
  }

  #connected(): void {
    if (this.#phase !== 'connecting') return;
    this.#runtime.wheel.clear(this.#alarm);
    this.#phase = 'awaiting-head';
    this.#user?.connected(this);
  }

  #readHead(from: Buffer, start: number, end: number): void {
    const head = this.#runtime.responseHead;
    let at = start;
    while (at < end) {
      const behind = this.#heads.read(head, from, at, end);
      if (behind < 0) {
        if (behind === REFUSED) this.#broken(this.#heads.fault);
        return;
      }
      at = behind;
      if (isInterim(head.status)) {
        if (++this.#interim > MAX_INTERIM_RESPONSES) {
          this.#broken(TOO_MANY_INTERIM);
          return;
        }
        this.#user?.interim(head);
        continue;
      }
      // Once the answer is complete, this very connection may carry the next request already: nothing is done after it.
      if (head.status === 101) this.#switch(head, from, at, end);
      else this.#final(head, from, at, end);
      return;
    }
  }

  #final(head: ResponseHead, from: Buffer, at: number, end: number): void {
    const user = this.#user;
    if (user === undefined) return;
    this.#interim = 0;
    this.#runtime.wheel.clear(this.#alarm);
    this.#keepAlive = head.keepAlive;
    const framing = responseFraming(head, user.method);
    this.#body.start(framing, head.fields.contentLength);
    this.#phase = 'body';
    if (user.answered(head, framing) === 'discard') this.#discardRest();
    this.#readBody(from, at, end);
  }

  #switch(head: ResponseHead, from: Buffer, at: number, end: number): void {
    const user = this.#user;
    if (user === undefined || !user.acceptsSwitch(head)) {
      this.#broken(UNASKED_SWITCH);
      return;
    }
    user.answered(head, 'none');
    this.tunnel?.fromUpstream(from, at, end);
  }

  #readBody(from: Buffer, start: number, end: number): void {
    const at = this.#body.feed(from, start, end, this);
    // The sink may have closed us: a client that has gone takes its upstream connection with it.
    if (this.#phase !== 'body' && this.#phase !== 'discarding') return;
    if (at < 0) this.#broken(BAD_CHUNK);
    else if (this.#body.done) this.#complete(at < end);
    else if (this.#discarded > MAX_DISCARDED_BYTES) this.close();
  }

  /** `surplus`: bytes behind the answer, which no request has asked for. */
  #complete(surplus: boolean): void {
    const user = this.#user;
    const reusable = this.#keepAlive && !surplus && (user === undefined || user.requestDone);
    this.#user = undefined;
    const now = this.#runtime.clock.monotonic();
    if (reusable) this.#rest(now);
    else this.close();
    user?.responseComplete(trailerLines(this.#body.trailer), now);
  }

  #rest(now: number): void {
    this.#phase = 'idle';
    const { meshTls, wheel } = this.#runtime;
    if (now >= this.#retireAtMs) {
      this.close();
      return;
    }
    keepIdle(this.endpoint, this, this.#cluster.config.tls === undefined ? 0 : meshTls.generation);
    if (this.#isClosed()) return;
    wheel.set(this.#alarm, now, this.#cluster.config.poolIdleMs);
    if (this.socket.isPaused()) this.socket.resume();
  }

  #discardRest(): void {
    this.#phase = 'discarding';
    this.#discarded = 0;
    this.#user = undefined;
  }

  #broken(rejection: Rejection): void {
    const user = this.#user;
    this.close();
    this.#runtime.telemetry.rejected('response', rejection.cause);
    user?.brokenAnswer(rejection);
  }

  #ended(message: string): void {
    if (this.#phase === 'tunnel') this.tunnel?.upstreamEnded();
    else if (this.#phase === 'body' && this.#body.framing === 'until-close') this.#complete(true);
    else this.#failed(message);
  }

  #failed(message: string): void {
    const phase = this.#phase;
    const user = this.#user;
    if (phase === 'closed') return;
    if (phase === 'idle') forgetIdle(this.endpoint, this);
    this.close();
    if (phase === 'connecting') user?.tryFailed({ kind: 'connect' }, message);
    else if (phase === 'awaiting-head') {
      user?.tryFailed({ kind: 'reset', written: this.outbox.written, reused: this.reused }, message);
    } else if (phase === 'body') user?.truncated(message);
    else if (phase === 'tunnel') this.tunnel?.upstreamClosed();
  }

  #alarmed(): void {
    if (this.#phase === 'connecting') this.#failed('connecting took too long');
    else if (this.#phase === 'idle') this.#failed('idle');
    else if (this.#phase === 'awaiting-head') {
      const user = this.#user;
      this.close();
      user?.tryFailed({ kind: 'try-timeout' }, 'no answer within the time of one try');
    }
  }

  #drained(): void {
    if (this.#phase === 'tunnel') this.tunnel?.upstreamDrained();
    else this.#user?.upstreamDrained();
  }

  #isClosed(): boolean {
    return this.#phase === 'closed';
  }
}

function isInterim(status: number): boolean {
  return status < 200 && status !== 101;
}
