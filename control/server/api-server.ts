import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type Proxy, proxyKind } from '../../api/kinds/proxy.ts';
import { kinds } from '../../api/kinds/registry.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import type { Store } from '../store/store.ts';
import type { StoreService } from '../store-service.ts';
import { Admission } from './admission/admission.ts';
import { Allocator } from './admission/allocator.ts';
import type { AgentCredentials } from './agents/agent-request.ts';
import { metricsKinds } from './agents/metrics.ts';
import { OpenStreams } from './agents/open-streams.ts';
import { podLogs } from './agents/pod-log.ts';
import { podStreams, podStreamUpgrades } from './agents/pod-streams.ts';
import { proxyRestarts } from './agents/proxy-restart.ts';
import type { ServiceAccountKeys } from './authn/service-account-keys.ts';
import { TokenAuthenticator } from './authn/token-authenticator.ts';
import { makeFirstObjects } from './first-objects.ts';
import { Dispatcher } from './http/dispatch.ts';
import type { Endpoint } from './http/endpoint.ts';
import { type HttpServing, httpApp } from './http/http-app.ts';
import { kindEndpoints } from './http/kind-endpoints.ts';
import { OpenWatches } from './http/open-watches.ts';
import { RequestRate } from './http/request-rate.ts';
import { type ServingTls, tlsOptions } from './http/serving-tls.ts';
import { GIT_VERSION } from './http/version.ts';
import { LocalClient } from './local-client.ts';
import { type SignSvid, svidRequests } from './mesh/svid-requests.ts';
import { podEvictions } from './nodes/evictions.ts';
import { nodeCertificateRequests, type SignNode } from './nodes/node-certificate-requests.ts';
import { NodeCredentials } from './nodes/node-credentials.ts';
import { OpenApiDocuments } from './openapi/documents.ts';
import { selfSubjectAccessReviews } from './reviews/self-subject-access-review.ts';
import { selfSubjectReviews } from './reviews/self-subject-review.ts';
import { serviceAccountTokens } from './reviews/token-request.ts';
import { tokenReviews } from './reviews/token-review.ts';
import { LiveKinds, liveKind } from './verbs/live-kinds.ts';
import { StoredObjects } from './verbs/stored-objects.ts';
import { plainValues, type ValueCodec } from './verbs/value-codec.ts';
import type { VerbContext } from './verbs/verb-context.ts';

export interface ApiServerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** `127.0.0.1` */
  readonly address: string;
  /** 0 for the system's choice. */
  readonly port: number;
  readonly tls: ServingTls;
  /** What `GET /metrics` answers administrators; nothing when missing. */
  readonly metrics?: () => Promise<string>;
  readonly serviceAccountKeys: ServiceAccountKeys;
  readonly trustDomain: string;
  readonly signSvid: SignSvid;
  readonly signNode: SignNode;
  /** The proxies of the mesh as they are now. */
  readonly listProxies: () => readonly Proxy[] | Promise<readonly Proxy[]>;
  readonly agentCredentials: () => AgentCredentials;
  /** How values are kept in the store; as they are unless told. */
  readonly values?: ValueCodec;
  /** For operators: `/tutti/store`. */
  readonly storeService?: StoreService;
  /** Most watches and followed logs at a time. */
  readonly maxWatches?: number;
  /** Requests a second that one client may make, and at once; generous unless told. */
  readonly requestRate?: { readonly perSecond: number; readonly burst: number };
  /** How long a request may take to come in, in milliseconds. */
  readonly receive?: HttpServing['receive'];
}

export interface ApiServer {
  readonly port: number;
  readonly client: LocalClient;
  /** New connections get this certificate and are verified by this CA; open ones go on. */
  setTls(tls: ServingTls): void;
  /** Ends watches, answers what is under way, and closes. The store stays open. */
  close(): Promise<void>;
}

/** After this, what has not ended by itself is cut off. */
const CLOSE_GRACE_MS = 5000;

/** Starts serving. Rejects when the address cannot be bound or the store cannot be written. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, clock, random, log, address } = options;
  const objects = new StoredObjects(store, options.values ?? plainValues);
  const agents = { credentials: options.agentCredentials, trustDomain: options.trustDomain };
  const proxies = liveKind(proxyKind, async (namespace) =>
    (await options.listProxies()).filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace),
  );
  const live = new LiveKinds([proxies, ...metricsKinds({ objects, agents, clock, log })]);
  const admission = new Admission({ allocator: new Allocator(objects, random) });
  const verbs: VerbContext = { objects, live, admission, clock };
  const client = new LocalClient(verbs);
  await makeFirstObjects(client);

  const tokens = new TokenAuthenticator({ keys: options.serviceAccountKeys, objects, clock });
  const watches = new OpenWatches(options.maxWatches);
  const nodes = new NodeCredentials({ objects, trustDomain: options.trustDomain });
  const streaming = { objects, agents, streams: new OpenStreams(watches), clock };
  const served = [...new Set([...kinds, ...live.kinds])];
  const endpoints: readonly Endpoint[] = [
    ...served.flatMap((kind) => kindEndpoints({ verbs, watches, log }, kind)),
    podEvictions(verbs),
    podLogs({ objects, agents, watches }),
    proxyRestarts({ objects, agents }),
    ...podStreams(streaming),
    serviceAccountTokens({ keys: options.serviceAccountKeys, objects, clock }),
    svidRequests(options.signSvid),
    nodeCertificateRequests({ sign: options.signNode, objects, credentials: nodes, client, clock, log }),
    tokenReviews(tokens),
    selfSubjectReviews(options.clock),
    selfSubjectAccessReviews(),
  ];
  const documents = new OpenApiDocuments(endpoints, GIT_VERSION);
  const plain = {
    endpoints,
    documents,
    metrics: options.metrics ?? (() => Promise.resolve('')),
    checkReady: async () => void (await store.revision()),
    store: options.storeService,
    address: () => `${address}:${portOf(server.address())}`,
  };
  const rate = new RequestRate({ clock, ...options.requestRate });
  const dispatcher = new Dispatcher(endpoints);
  const upgrades = podStreamUpgrades(streaming);
  const serving = { clock, log, tokens, nodes, objects, dispatcher, plain, upgrades, rate, receive: options.receive };
  const { app, server } = httpApp(serving, options.tls);
  await app.listen({ host: address, port: options.port });
  return {
    port: portOf(server.address()),
    client,
    setTls: (tls) => server.setSecureContext(tlsOptions(tls)),
    close: async () => {
      const closed = once(server, 'close');
      watches.close();
      const timer = clock.timer(CLOSE_GRACE_MS, () => server.closeAllConnections());
      await app.close();
      await closed;
      timer.stop();
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
