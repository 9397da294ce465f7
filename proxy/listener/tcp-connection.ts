import type net from 'node:net';
import { MESH_BYTES_PROTOCOL } from '../../api/meta/well-known.ts';
import { Alarm } from '../../kit/timer-wheel.ts';
import type { ClusterState } from '../cluster/cluster-state.ts';
import type { EndpointState } from '../cluster/endpoint-state.ts';
import type { Peer } from '../proxy-protocol/header.ts';
import { renderProxyHeader } from '../proxy-protocol/render.ts';
import type { Runtime } from '../runtime.ts';
import type { ByteReceiver } from '../socket/shared-read.ts';
import { Tunnel } from '../socket/tunnel.ts';
import { dial } from '../upstream/dial.ts';
import type { ListenerConfig } from './listener-config.ts';

// What is open may be silent for hours; a peer whose machine is gone is found by the kernel.
const KEEPALIVE_MS = 60_000;
// Envoy: TcpProxy.idle_timeout.
const IDLE_MS = 3_600_000;
/** No byte was sent to an endpoint that could not be reached: another is asked, as for requests. */
const MAX_ENDPOINTS = 3;

// As Envoy's tcp_proxy judges endpoints where failures of its own are not counted apart (outlier_detection_impl.cc, resultToHttpCode); a
// connection that is made counts as 200.
const REFUSED = 503;
const TIMED_OUT = 504;

/** Both ends of a client's connection. */
export interface Client {
  readonly source: Peer;
  readonly destination: Peer;
}

export interface TcpConnectionOptions {
  readonly runtime: Runtime;
  readonly socket: net.Socket;
  readonly direction: ListenerConfig['direction'];
  readonly cluster: string;
  /** Who the client is, where its socket does not say; for a cluster whose endpoints are to be told. */
  readonly client?: Client | undefined;
  readonly onClose: () => void;
}

/**
 * One client's connection whose bytes go to an endpoint as they are, and come back so (Envoy's tcp_proxy). There are no requests here: while
 * it is open, a drain takes it for one that is in flight.
 */
export class TcpConnection implements ByteReceiver {
  readonly #runtime: Runtime;
  readonly #socket: net.Socket;
  readonly #direction: ListenerConfig['direction'];
  readonly #onClose: () => void;
  readonly #alarm: Alarm;
  readonly #cluster: ClusterState | undefined;
  readonly #client: Client | undefined;
  readonly #tried: EndpointState[] = [];
  /** Bytes both ways when the alarm went off last. */
  #seenBytes = 0;
  #upstream: net.Socket | undefined;
  /** There once the upstream is who it should be. */
  #tunnel: Tunnel | undefined;
  /** What the client said before; its socket is paused then, so it is no more than was under way. */
  #early: Buffer[] = [];
  #clientEnded = false;
  #isClosed = false;

  constructor({ runtime, socket, direction, cluster, client, onClose }: TcpConnectionOptions) {
    this.#runtime = runtime;
    this.#socket = socket;
    this.#direction = direction;
    this.#onClose = onClose;
    this.#client = client;
    this.#alarm = new Alarm(() => this.#alarmed());
    this.#countActive(1);
    this.#cluster = runtime.cluster(cluster);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE_MS);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onGone);
    this.#dialNext();
  }

  /** No byte has gone either way. */
  get isUntouched(): boolean {
    const { bytesIn, bytesOut } = this.#tunnel ?? { bytesIn: 0, bytesOut: 0 };
    return bytesIn === 0 && bytesOut === 0 && this.#early.length === 0 && !this.#clientEnded && !this.#isClosed;
  }

  receive(from: Buffer, count: number): void {
    if (this.#tunnel !== undefined) this.#tunnel.fromClient(from, 0, count);
    else if (!this.#isClosed) {
      this.#early.push(Buffer.from(from.subarray(0, count)));
      this.#socket.pause();
    }
  }

  /** The client has nothing more to say; for an end that came before this connection was there to hear of it. */
  clientEnded(): void {
    this.#clientEnded = true;
    this.#tunnel?.clientEnded();
  }

  /** Gives the client's socket back, as it was: for a connection that turns out to be another's. */
  release(): void {
    this.#socket.off('drain', this.#onDrain);
    this.#socket.off('end', this.#onEnd);
    this.#socket.off('error', this.#onError);
    this.#socket.off('close', this.#onGone);
    this.#upstream?.destroy();
    this.#tunnel = undefined;
    this.#leave();
  }

  /** A drain does not wait for a client that has nothing to say yet, to a server that neither has. */
  drain(): void {
    if (this.isUntouched) this.close();
  }

  /** Its listener is gone. What its peers have under way nobody here can tell: they end it. */
  retire(): void {}

  close(): void {
    this.#socket.destroy();
    this.#upstream?.destroy();
    this.#gone();
  }

  readonly #onDrain = (): void => this.#tunnel?.clientDrained();
  readonly #onEnd = (): void => this.clientEnded();
  readonly #onError = (): void => this.close();
  readonly #onGone = (): void => {
    if (this.#tunnel === undefined) this.#upstream?.destroy();
    else this.#tunnel.clientClosed();
    this.#gone();
  };

  #dialNext(): void {
    const { clock, random } = this.#runtime;
    const cluster = this.#cluster;
    const isFirst = this.#tried.length === 0;
    const full = isFirst && cluster?.isFull === true;
    const endpoint = full ? undefined : cluster?.pick(isFirst ? undefined : this.#tried, clock.monotonic(), random);
    if (cluster === undefined || endpoint === undefined || this.#tried.includes(endpoint)) {
      this.#socket.destroy();
      return;
    }
    this.#tried.push(endpoint);
    cluster.total++;
    cluster.began();
    endpoint.active++;
    this.#dial(cluster, endpoint);
  }

  #dial(cluster: ClusterState, endpoint: EndpointState): void {
    const runtime = this.#runtime;
    const isCurrent = (): boolean => this.#upstream === upstream && !this.#isClosed;
    const failed = (): void => {
      if (isCurrent() && this.#tunnel === undefined) this.#connectFailed(REFUSED);
    };
    const upstream = dial(runtime, cluster.config, endpoint.config, {
      receiver: { receive: (from, count) => this.#tunnel?.fromUpstream(from, 0, count) },
      protocol: MESH_BYTES_PROTOCOL,
      connected: () => {
        if (isCurrent()) this.#connected(upstream, endpoint);
      },
      failed,
    });
    this.#upstream = upstream;
    endpoint.opened++;
    runtime.wheel.set(this.#alarm, runtime.clock.monotonic(), cluster.config.connectTimeoutMs);
    upstream.setNoDelay(true);
    upstream.setKeepAlive(true, KEEPALIVE_MS);
    upstream.on('drain', () => this.#tunnel?.upstreamDrained());
    upstream.on('end', () => this.#tunnel?.upstreamEnded());
    upstream.on('error', failed);
    upstream.on('close', () => {
      failed();
      if (this.#upstream === upstream) this.#tunnel?.upstreamClosed();
    });
  }

  #connected(upstream: net.Socket, endpoint: EndpointState): void {
    const { wheel, clock } = this.#runtime;
    wheel.set(this.#alarm, clock.monotonic(), IDLE_MS);
    endpoint.answered();
    endpoint.outlier.succeed();
    const tunnel = new Tunnel(this.#socket, upstream);
    this.#tunnel = tunnel;
    const version = this.#cluster?.config.sendProxyProtocol;
    if (version !== undefined) {
      const { source, destination } = this.#client ?? clientOf(this.#socket);
      upstream.write(renderProxyHeader(version, source, destination));
    }
    for (const early of this.#early) tunnel.fromClient(early, 0, early.length);
    this.#early = [];
    if (this.#clientEnded) tunnel.clientEnded();
  }

  /** `status`: what outlier detection takes it for. */
  #connectFailed(status: typeof REFUSED | typeof TIMED_OUT): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    upstream?.destroy();
    const endpoint = this.#tried.at(-1);
    const { clock, random } = this.#runtime;
    if (endpoint !== undefined) {
      this.#cluster?.connectFailed(endpoint, clock.monotonic());
      this.#cluster?.failed(endpoint, status, clock.monotonic(), random);
    }
    this.#countTry('error');
    if (this.#tried.length < MAX_ENDPOINTS) this.#dialNext();
    else this.#socket.destroy();
  }

  #alarmed(): void {
    const tunnel = this.#tunnel;
    if (tunnel === undefined) {
      this.#connectFailed(TIMED_OUT);
      return;
    }
    const bytes = tunnel.bytesIn + tunnel.bytesOut;
    if (bytes === this.#seenBytes) this.close();
    else this.#runtime.wheel.set(this.#alarm, this.#runtime.clock.monotonic(), IDLE_MS);
    this.#seenBytes = bytes;
  }

  /** What load reports and balancing are told of the last endpoint; no outcome where the client left before there was one. */
  #countTry(outcome: 'success' | 'error' | undefined): void {
    const endpoint = this.#tried.at(-1);
    if (this.#cluster === undefined || endpoint === undefined) return;
    this.#cluster.ended();
    if (outcome !== undefined) this.#cluster[outcome]++;
    endpoint.active--;
  }

  #gone(): void {
    if (this.#isClosed) return;
    this.#leave();
    this.#onClose();
  }

  #leave(): void {
    this.#isClosed = true;
    this.#early = [];
    this.#runtime.wheel.remove(this.#alarm);
    if (this.#upstream !== undefined) this.#countTry(this.#tunnel === undefined ? undefined : 'success');
    this.#countActive(-1);
  }

  #countActive(by: 1 | -1): void {
    if (this.#direction === 'outbound') return;
    this.#runtime.activeInbound += by;
    this.#runtime.inboundChangedAtMs = this.#runtime.clock.monotonic();
  }
}

/** As the socket knows them. */
export function clientOf(socket: net.Socket): Client {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  return { source: peerOf(remoteAddress, remotePort), destination: peerOf(localAddress, localPort) };
}

function peerOf(address = '', port = 0): Peer {
  return { address: address.replace(/^::ffff:/, ''), port };
}
