import net from 'node:net';
import { Alarm } from '../../kit/timer-wheel.ts';
import type { ClusterState } from '../cluster/cluster-state.ts';
import type { EndpointState } from '../cluster/endpoint-state.ts';
import type { Runtime } from '../runtime.ts';
import { type ByteReceiver, sharedRead } from '../socket/shared-read.ts';
import { Tunnel } from '../socket/tunnel.ts';
import type { ListenerConfig } from './listener-config.ts';

// What is open may be silent for hours; a peer whose machine is gone is found by the kernel.
const KEEPALIVE_MS = 60_000;

/**
 * One client's connection whose bytes go to an endpoint as they are, and come back so (Envoy's tcp_proxy). There are no requests here: while
 * it is open, a drain takes it for one that is in flight.
 */
export class TcpConnection implements ByteReceiver {
  readonly #runtime: Runtime;
  readonly #socket: net.Socket;
  readonly #direction: ListenerConfig['direction'];
  readonly #onClose: (connection: TcpConnection) => void;
  readonly #tunnel: Tunnel | undefined;
  readonly #connectAlarm: Alarm;
  #upstream: net.Socket | undefined;
  #isClosed = false;

  constructor(
    runtime: Runtime,
    socket: net.Socket,
    direction: ListenerConfig['direction'],
    clusterName: string,
    onClose: (connection: TcpConnection) => void,
  ) {
    this.#runtime = runtime;
    this.#socket = socket;
    this.#direction = direction;
    this.#onClose = onClose;
    this.#connectAlarm = new Alarm(() => this.close());
    this.#countActive(1);
    const cluster = runtime.cluster(clusterName);
    const endpoint = cluster?.pick(undefined, runtime.clock.monotonic(), runtime.random);
    this.#tunnel = cluster === undefined || endpoint === undefined ? undefined : this.#join(cluster, endpoint);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE_MS);
    socket.on('drain', () => this.#tunnel?.clientDrained());
    socket.on('end', () => this.#tunnel?.clientEnded());
    socket.on('error', () => this.close());
    socket.on('close', () => this.#gone(() => this.#tunnel?.clientClosed()));
    if (this.#tunnel === undefined) socket.destroy();
  }

  receive(from: Buffer, count: number): void {
    this.#tunnel?.fromClient(from, 0, count);
  }

  /** Its listener is gone. What its peers have under way nobody here can tell: they end it. */
  retire(): void {}

  close(): void {
    this.#socket.destroy();
    this.#upstream?.destroy();
    this.#gone(() => undefined);
  }

  #join(cluster: ClusterState, endpoint: EndpointState): Tunnel {
    const runtime = this.#runtime;
    const { address: host, port } = endpoint.config;
    const onread = sharedRead({ receive: (from, count) => tunnel.fromUpstream(from, 0, count) });
    const upstream = net.connect({ host, port, allowHalfOpen: true, onread });
    const tunnel = new Tunnel(this.#socket, upstream);
    this.#upstream = upstream;
    endpoint.opened++;
    runtime.wheel.set(this.#connectAlarm, runtime.clock.monotonic(), cluster.config.connectTimeoutMs);
    upstream.setNoDelay(true);
    upstream.on('connect', () => {
      runtime.wheel.remove(this.#connectAlarm);
      endpoint.answered();
    });
    upstream.on('drain', () => tunnel.upstreamDrained());
    upstream.on('end', () => tunnel.upstreamEnded());
    upstream.on('error', () => {
      if (upstream.connecting || upstream.bytesRead === 0) cluster.connectFailed(endpoint, runtime.clock.monotonic());
    });
    upstream.on('close', () => tunnel.upstreamClosed());
    return tunnel;
  }

  #gone(tell: () => void): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#runtime.wheel.remove(this.#connectAlarm);
    tell();
    this.#countActive(-1);
    this.#onClose(this);
  }

  #countActive(by: 1 | -1): void {
    if (this.#direction === 'outbound') return;
    this.#runtime.activeInbound += by;
    this.#runtime.inboundChangedAtMs = this.#runtime.clock.monotonic();
  }
}
