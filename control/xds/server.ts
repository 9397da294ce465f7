import type { EventEmitter } from 'node:events';
import {
  type handleBidiStreamingCall,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  status,
} from '@grpc/grpc-js';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponseInput,
  DiscoveryRequest,
  DiscoveryResponseInput,
  LoadStatsRequest,
  LoadStatsResponseInput,
  Node,
} from '../../xds/messages.js';
import { AggregatedDiscoveryService, LoadReportingService } from '../../xds/services.js';
import type { Hub, Link } from './hub.ts';
import { serveLoadReports } from './load-reports.ts';
import type { XdsMetrics } from './metrics.ts';
import { spiffeIdOfPeer } from './peer-identity.ts';
import { type IdentityFeed, listenForProxies } from './proxy-listener.ts';
import { kindOfTypeUrl, type ResourceKind } from './resource.ts';
import type { ClientFeatures, SessionResponse, SubscriptionRequest, Variant } from './session.ts';
import { clientFeatures, deltaResponse, sotwResponse } from './wire.ts';

export interface XdsServerOptions {
  readonly hub: Hub;
  readonly identity: IdentityFeed;
  readonly metrics: XdsMetrics;
  readonly clock: Clock;
  readonly log: Logger;
  readonly address: string;
  readonly port: number;
  /** Names this server to proxies: control_plane.identifier. */
  readonly name: string;
}

export interface XdsServer {
  readonly port: number;
  /** Ends every stream; proxies look for the server that comes next. */
  close(): Promise<void>;
}

// A request holds names and an error; a thousand clusters of 60 letters are 60 KB.
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
const KEEPALIVE_MS = 10_000;
const KEEPALIVE_TIMEOUT_MS = 5000;
const CLOSE_MS = 1000;

/** A stream of any of our services, as far as its end goes. */
type Call = Pick<ServerDuplexStream<unknown, unknown>, 'getAuthContext'> & EventEmitter;

/** ADS and LRS over mTLS. */
export async function serveXds(options: XdsServerOptions): Promise<XdsServer> {
  const server = new Server({
    'grpc.enable_channelz': 0,
    'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  });
  const calls = new Set<Call>();
  const track = (call: Call): void => {
    calls.add(call);
    call.on('close', () => calls.delete(call));
  };
  const sotw: handleBidiStreamingCall<DiscoveryRequest, DiscoveryResponseInput> = (call) => {
    track(call);
    serveAds(call, SOTW, options);
  };
  const delta: handleBidiStreamingCall<DeltaDiscoveryRequest, DeltaDiscoveryResponseInput> = (call) => {
    track(call);
    serveAds(call, DELTA, options);
  };
  const lrs: handleBidiStreamingCall<LoadStatsRequest, LoadStatsResponseInput> = (call) => {
    track(call);
    const spiffeId = verifiedPeer(call);
    if (spiffeId !== undefined) serveLoadReports(call, spiffeId, options.hub);
  };
  server.addService(AggregatedDiscoveryService, {
    streamAggregatedResources: sotw,
    deltaAggregatedResources: delta,
  });
  server.addService(LoadReportingService, { streamLoadStats: lrs });
  const connections = server.createConnectionInjector(ServerCredentials.createInsecure());
  // Verified by then, and encrypted: gRPC itself need not know of TLS.
  const listener = await listenForProxies({ ...options, take: (socket) => connections.injectConnection(socket) });
  const close = async (): Promise<void> => {
    listener.close();
    await shutDown(server, calls, options.clock);
  };
  return { port: listener.port, close };
}

/**
 * In order, and not by force: without channelz grpc-js 1.14 does not know the sessions that forceShutdown is to end, and
 * proxies would hold on to a server that is no more.
 */
async function shutDown(server: Server, calls: ReadonlySet<Call>, clock: Clock): Promise<void> {
  for (const call of calls) fail(call, status.UNAVAILABLE, 'the control plane is shutting down');
  const closed = Promise.withResolvers<void>();
  const timer = clock.timer(CLOSE_MS, () => closed.resolve());
  server.tryShutdown(() => closed.resolve());
  await closed.promise;
  timer.stop();
  server.forceShutdown();
}

/** What of a request says who asks for what, in either variant. */
interface Envelope {
  readonly node: Node | null;
  readonly typeUrl: string;
}

interface AdsVariant<Request extends Envelope, Response> {
  readonly variant: Variant;
  readonly read: (request: Request, kind: ResourceKind) => SubscriptionRequest;
  readonly write: (response: SessionResponse, features: ClientFeatures, server: string) => Response;
}

const SOTW: AdsVariant<DiscoveryRequest, DiscoveryResponseInput> = {
  variant: 'sotw',
  read: ({ resourceNames: names, responseNonce: nonce, errorDetail }, kind) => ({
    variant: 'sotw',
    kind,
    names,
    nonce,
    error: errorDetail?.message,
  }),
  write: sotwResponse,
};

const DELTA: AdsVariant<DeltaDiscoveryRequest, DeltaDiscoveryResponseInput> = {
  variant: 'delta',
  read: (request, kind) => ({
    variant: 'delta',
    kind,
    subscribe: request.resourceNamesSubscribe,
    unsubscribe: request.resourceNamesUnsubscribe,
    initialVersions: request.initialResourceVersions,
    nonce: request.responseNonce,
    error: request.errorDetail?.message,
  }),
  write: deltaResponse,
};

function serveAds<Request extends Envelope, Response>(
  call: ServerDuplexStream<Request, Response>,
  { variant, read, write }: AdsVariant<Request, Response>,
  { hub, log, name }: XdsServerOptions,
): void {
  const spiffeId = verifiedPeer(call);
  if (spiffeId === undefined) return;
  let link: Link | undefined;
  let ended = false;
  const end = (): void => {
    ended = true;
    link?.close();
  };
  const open = (node: Node | null): Link | undefined => {
    const features = clientFeatures(variant, node?.clientFeatures ?? []);
    return hub.open({
      nodeId: node?.id ?? '',
      spiffeId,
      version: node?.userAgentVersion ?? '',
      variant,
      features,
      get congested() {
        return call.writableNeedDrain;
      },
      send: (response) => void call.write(write(response, features, name)),
      refuse: (reason) => fail(call, status.PERMISSION_DENIED, reason),
    });
  };
  call.on('data', (request: Request) => {
    if (ended) return;
    // Only the first request of a stream is sure to name the node.
    link ??= open(request.node);
    if (request.typeUrl === '') fail(call, status.INVALID_ARGUMENT, 'type_url is missing');
    const kind = kindOfTypeUrl(request.typeUrl);
    // Types that we do not have stay unanswered; the stream's others go on.
    if (kind !== undefined) link?.request(read(request, kind));
  });
  call.on('drain', () => link?.drained());
  call.on('error', (error: Error) => {
    log.debug({ error }, 'xDS stream failed');
    end();
  });
  call.on('cancelled', end);
  call.on('end', () => {
    end();
    call.end();
  });
}

function verifiedPeer(call: Call): string | undefined {
  const spiffeId = spiffeIdOfPeer(call.getAuthContext().sslPeerCertificate);
  if (spiffeId === undefined) fail(call, status.UNAUTHENTICATED, 'the client certificate carries no SPIFFE id');
  return spiffeId;
}

function fail(call: Call, code: status, details: string): void {
  call.emit('error', { code, details });
}
