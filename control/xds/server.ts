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
import type { LoadStatsRequest, LoadStatsResponseInput, Node } from '../../xds/messages.js';
import { AggregatedDiscoveryService, LoadReportingService } from '../../xds/services.js';
import { type AdsVariant, DELTA, type Envelope, SOTW } from './ads-variant.ts';
import type { Hub, Link } from './hub.ts';
import { serveLoadReports } from './load-reports.ts';
import type { XdsMetrics } from './metrics.ts';
import { spiffeIdOfPeer } from './peer-identity.ts';
import { type IdentityFeed, listenForProxies } from './proxy-listener.ts';
import { kindOfTypeUrl } from './resource.ts';
import { clientFeatures } from './wire.ts';

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
  const sotw: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    track(call);
    serveAds(call, SOTW, options);
  };
  const delta: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    track(call);
    serveAds(call, DELTA, options);
  };
  const lrs: handleBidiStreamingCall<LoadStatsRequest, LoadStatsResponseInput> = (call) => {
    track(call);
    const spiffeId = verifiedPeer(call);
    if (spiffeId !== undefined) serveLoadReports(call, spiffeId, options.hub);
  };
  const { streamAggregatedResources, deltaAggregatedResources } = AggregatedDiscoveryService;
  server.addService(
    {
      streamAggregatedResources: { ...streamAggregatedResources, ...AS_BYTES },
      deltaAggregatedResources: { ...deltaAggregatedResources, ...AS_BYTES },
    },
    { streamAggregatedResources: sotw, deltaAggregatedResources: delta },
  );
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

const asIs = (bytes: Buffer): Buffer => bytes;

/** gRPC carries bytes: what many streams have in common is encoded once, and what a stream repeats is decoded once. */
const AS_BYTES = {
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};

function serveAds(
  call: ServerDuplexStream<Buffer, Buffer>,
  { variant, reader, write }: AdsVariant,
  { hub, log, name }: XdsServerOptions,
): void {
  const spiffeId = verifiedPeer(call);
  if (spiffeId === undefined) return;
  const read = reader();
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
  const take = ({ node, typeUrl, as }: Envelope): void => {
    // Only the first request of a stream is sure to name the node.
    link ??= open(node);
    if (typeUrl === '') fail(call, status.INVALID_ARGUMENT, 'type_url is missing');
    const kind = kindOfTypeUrl(typeUrl);
    // Types that we do not have stay unanswered; the stream's others go on.
    if (kind !== undefined) link?.request(as(kind));
  };
  call.on('data', (bytes: Buffer) => {
    if (ended) return;
    const request = attempt(() => read(bytes));
    if (request === undefined) fail(call, status.INTERNAL, 'the request is no discovery request of the method');
    else take(request);
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

/** Undefined for bytes that are not what they should be: a peer sent them. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function verifiedPeer(call: Call): string | undefined {
  const spiffeId = spiffeIdOfPeer(call.getAuthContext().sslPeerCertificate);
  if (spiffeId === undefined) fail(call, status.UNAUTHENTICATED, 'the client certificate carries no SPIFFE id');
  return spiffeId;
}

function fail(call: Call, code: status, details: string): void {
  call.emit('error', { code, details });
}
