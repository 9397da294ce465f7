import { type handleBidiStreamingCall, Server, type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type {
  DiscoveryRequest,
  DiscoveryResponseInput,
  LoadStatsRequest,
  LoadStatsResponseInput,
} from '../../xds/messages.js';
import { AggregatedDiscoveryService, LoadReportingService } from '../../xds/services.js';
import type { Hub, Link } from './hub.ts';
import { serveLoadReports } from './load-reports.ts';
import { spiffeIdOfPeer } from './peer-identity.ts';
import { kindOfTypeUrl, TYPE_URL } from './resource.ts';
import { type IdentityFeed, rotatingServerCredentials } from './server-credentials.ts';

export interface XdsServerOptions {
  readonly hub: Hub;
  readonly identity: IdentityFeed;
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

type AdsCall = ServerDuplexStream<DiscoveryRequest, DiscoveryResponseInput>;
type LrsCall = ServerDuplexStream<LoadStatsRequest, LoadStatsResponseInput>;

/** ADS and LRS over mTLS. */
export async function serveXds(options: XdsServerOptions): Promise<XdsServer> {
  const server = new Server({
    'grpc.enable_channelz': 0,
    'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  });
  const calls = new Set<AdsCall | LrsCall>();
  const track = (call: AdsCall | LrsCall): void => {
    calls.add(call);
    call.on('close', () => calls.delete(call));
  };
  const ads: handleBidiStreamingCall<DiscoveryRequest, DiscoveryResponseInput> = (call) => {
    track(call);
    serveAds(call, options);
  };
  const lrs: handleBidiStreamingCall<LoadStatsRequest, LoadStatsResponseInput> = (call) => {
    track(call);
    const spiffeId = verifiedPeer(call);
    if (spiffeId !== undefined) serveLoadReports(call, spiffeId, options.hub);
  };
  server.addService(AggregatedDiscoveryService, { streamAggregatedResources: ads });
  server.addService(LoadReportingService, { streamLoadStats: lrs });
  const port = await new Promise<number>((resolve, reject) => {
    const target = `${options.address}:${options.port}`;
    server.bindAsync(target, rotatingServerCredentials(options.identity), (error, bound) =>
      error === null ? resolve(bound) : reject(new Error(`bind xDS on ${target}`, { cause: error })),
    );
  });
  return { port, close: () => shutDown(server, calls, options.clock) };
}

/**
 * In order, and not by force: without channelz grpc-js 1.14 does not know the sessions that forceShutdown is to end, and
 * proxies would hold on to a server that is no more.
 */
async function shutDown(server: Server, calls: ReadonlySet<AdsCall | LrsCall>, clock: Clock): Promise<void> {
  for (const call of calls) fail(call, status.UNAVAILABLE, 'the control plane is shutting down');
  const closed = Promise.withResolvers<void>();
  const timer = clock.timer(CLOSE_MS, () => closed.resolve());
  server.tryShutdown(() => closed.resolve());
  await closed.promise;
  timer.stop();
  server.forceShutdown();
}

function serveAds(call: AdsCall, { hub, log, name }: XdsServerOptions): void {
  const spiffeId = verifiedPeer(call);
  if (spiffeId === undefined) return;
  let link: Link | undefined;
  let ended = false;
  const end = (): void => {
    ended = true;
    link?.close();
  };
  call.on('data', (request: DiscoveryRequest) => {
    if (ended) return;
    // Only the first request of a stream is sure to name the node.
    link ??= hub.open({
      nodeId: request.node?.id ?? '',
      spiffeId,
      version: request.node?.userAgentVersion ?? '',
      send: ({ kind, version, nonce, resources }) =>
        void call.write({
          typeUrl: TYPE_URL[kind],
          versionInfo: version,
          nonce,
          resources: resources.map(({ value }) => ({ typeUrl: TYPE_URL[kind], value })),
          controlPlane: { identifier: name },
        }),
      refuse: (reason) => fail(call, status.PERMISSION_DENIED, reason),
    });
    if (request.typeUrl === '') fail(call, status.INVALID_ARGUMENT, 'type_url is missing');
    const kind = kindOfTypeUrl(request.typeUrl);
    // Types that we do not have stay unanswered; the stream's others go on.
    if (kind === undefined) return;
    const { resourceNames: names, responseNonce: nonce, errorDetail } = request;
    link?.request({ kind, names, nonce, error: errorDetail?.message });
  });
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

function verifiedPeer(call: AdsCall | LrsCall): string | undefined {
  const spiffeId = spiffeIdOfPeer(call.getAuthContext().sslPeerCertificate);
  if (spiffeId === undefined) fail(call, status.UNAUTHENTICATED, 'the client certificate carries no SPIFFE id');
  return spiffeId;
}

function fail(call: AdsCall | LrsCall, code: status, details: string): void {
  call.emit('error', { code, details });
}
