// node bench/mesh/client-process.ts <clients>: on its first message opens a stream a client to the xDS server; says when all have
// everything; on "report" says when the last client had ACKed each change.
import { Client, credentials } from '@grpc/grpc-js';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { kindOfTypeUrl } from '../../proxy/xds/resource-kind.ts';
import { Subscriptions } from '../../proxy/xds/subscriptions.ts';
import {
  Cluster,
  ClusterDiscoveryType,
  ClusterLoadAssignment,
  type DiscoveryResponse,
  RouteConfiguration,
} from '../../xds/messages.js';
import { AggregatedDiscoveryService } from '../../xds/services.js';
import { changeKey, FIRST_PORT, FIRST_WEIGHT, podName, preciseNow } from './marks.ts';

const clients = Number(process.argv[2]);
const last = new Map<string, { atMs: number; count: number }>();
let complete = 0;

process.on('message', (message: { readonly port: number; readonly identity: MeshIdentity } | 'report') => {
  if (message === 'report') process.send?.({ acked: Object.fromEntries(last) });
  else for (let at = 0; at < clients; at++) open(at, message.port, message.identity);
});
process.on('disconnect', () => process.exit());

function open(index: number, port: number, { trustBundlePem, privateKeyPem, certificateChainPem }: MeshIdentity): void {
  const [ca, key, chain] = [trustBundlePem, privateKeyPem, certificateChainPem].map((pem) => Buffer.from(pem));
  const secure = credentials.createSsl(ca, key, chain, { checkServerIdentity: () => undefined });
  const client = new Client(`127.0.0.1:${port}`, secure, {
    'grpc.enable_channelz': 0,
    'grpc.ssl_target_name_override': 'control.tutti.internal',
    'grpc.use_local_subchannel_pool': 1,
  });
  const { path, requestSerialize, responseDeserialize } = AggregatedDiscoveryService.streamAggregatedResources;
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const subscriptions = new Subscriptions({ id: `sidecar/default/${podName(index)}` });
  const marks = new Map<string, number>();
  const seen = new Set<string>();
  for (const request of subscriptions.begin()) stream.write(request);
  stream.on('error', (error) => {
    throw error;
  });
  stream.on('data', ({ typeUrl, versionInfo, nonce, resources }: DiscoveryResponse) => {
    const kind = kindOfTypeUrl(typeUrl);
    if (kind === undefined) return;
    subscriptions.received(kind, versionInfo, nonce);
    if (kind === 'cluster') {
      const decoded = resources.map(({ value }) => Cluster.decode(value));
      const names = decoded.filter(({ type }) => type === ClusterDiscoveryType.EDS).map(({ name }) => name);
      const wanted = subscriptions.want('endpoints', new Set(names));
      if (wanted !== undefined) stream.write(wanted);
    }
    if (kind === 'listener') {
      const wanted = subscriptions.want('route', new Set(['outbound']));
      if (wanted !== undefined) stream.write(wanted);
    }
    stream.write(subscriptions.ack(kind));
    const now = preciseNow();
    for (const { value } of resources) {
      if (kind === 'endpoints') noteEndpoints(marks, value, now);
      if (kind === 'route') noteRoute(marks, value, now);
    }
    if (seen.size < 4 && seen.add(kind).size === 4 && ++complete === clients)
      process.send?.({ complete: preciseNow() });
  });
}

function noteEndpoints(marks: Map<string, number>, bytes: Uint8Array, now: number): void {
  const { clusterName, endpoints } = ClusterLoadAssignment.decode(bytes);
  const [, , service = ''] = clusterName.split('/');
  const port = endpoints[0]?.lbEndpoints[0]?.endpoint?.address?.socketAddress?.portValue ?? FIRST_PORT;
  note(marks, service, port, FIRST_PORT, now);
}

function noteRoute(marks: Map<string, number>, bytes: Uint8Array, now: number): void {
  for (const { routes } of RouteConfiguration.decode(bytes).virtualHosts) {
    const weight = routes[0]?.route?.weightedClusters?.clusters[0]?.weight?.value;
    if (weight !== undefined) return note(marks, 'route', weight, FIRST_WEIGHT, now);
  }
}

/** A client that was told the newest state has all the changes before it too. */
function note(marks: Map<string, number>, object: string, mark: number, first: number, now: number): void {
  for (let each = (marks.get(object) ?? first) + 1; each <= mark; each++) {
    const key = changeKey(object, each);
    const known = last.get(key);
    last.set(key, { atMs: Math.max(known?.atMs ?? 0, now), count: (known?.count ?? 0) + 1 });
  }
  marks.set(object, mark);
}
