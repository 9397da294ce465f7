import type { Clock } from '../kit/clock.ts';
import type { Logger } from '../kit/log.ts';
import type { Random } from '../kit/random.ts';
import type { TimerWheel } from '../kit/timer-wheel.ts';
import type { ClusterState } from './cluster/cluster-state.ts';
import type { RequestHead } from './http1/request-head.ts';
import type { ResponseHead } from './http1/response-head.ts';
import type { CompiledRouteTable } from './route/compiled-route-table.ts';
import type { ListeningSockets } from './socket/listening-sockets.ts';
import type { MeshTls } from './socket/mesh-tls.ts';
import type { AccessLog } from './telemetry/access-log.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import type { Tracer } from './tracing/tracer.ts';

/** What every connection and request of one engine shares. The engine writes; the others read. */
export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly wheel: TimerWheel;
  readonly telemetry: Telemetry;
  readonly accessLog: AccessLog | undefined;
  readonly meshTls: MeshTls;
  readonly sockets: ListeningSockets;
  /** Undefined where no spans are sent. */
  readonly tracer: Tracer | undefined;
  /** Requests that came by an inbound or ingress listener and are not answered yet, tunnels included. */
  activeInbound: number;
  /** Monotonic time at which `activeInbound` last changed. */
  inboundChangedAtMs: number;
  draining: boolean;
  /** Another process accepts in our place: also a sidecar's own app is asked to come on a new connection. */
  leaving: boolean;
  /** Scanners that all connections use in turn: nothing may keep them past its own turn. */
  readonly requestHead: RequestHead;
  readonly responseHead: ResponseHead;
  routeTable(name: string): CompiledRouteTable | undefined;
  cluster(name: string): ClusterState | undefined;
  /** One of our own listeners: dialling it would send a request in circles. */
  isOwnAddress(address: string, port: number): boolean;
}
