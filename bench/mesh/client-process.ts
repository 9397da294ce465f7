// node bench/mesh/client-process.ts <clients>: on its first message opens a stream a client to the xDS server; says when all have
// everything; on "report" says when the last client had ACKed each change, and what it took to do so.
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { kindOfTypeUrl, TYPE_URL } from '../../proxy/xds/resource-kind.ts';
import { Cluster, ClusterDiscoveryType, ClusterLoadAssignment, RouteConfiguration } from '../../xds/messages.js';
import { ackOf, clientContext, nameOf, openAdsStream, requestPart } from './ads-stream.ts';
import { changeKey, FIRST_PORT, FIRST_WEIGHT, podName, preciseNow } from './marks.ts';

/** What a resource says of a changing object: the larger the number, the newer. */
interface Mark {
  readonly object: string;
  readonly number: number;
  readonly first: number;
}

const clients = Number(process.argv[2]);
const last = new Map<string, { atMs: number; count: number }>();
let complete = 0;
let responses = 0;
let before = process.cpuUsage();

process.on('message', (message: { readonly port: number; readonly identity: MeshIdentity } | 'begin' | 'report') => {
  if (message === 'report') {
    const { user, system } = process.cpuUsage(before);
    process.send?.({ acked: Object.fromEntries(last), responses, cpuMs: (user + system) / 1000 });
  } else if (message === 'begin') {
    responses = 0;
    before = process.cpuUsage();
  } else {
    const context = clientContext(message.identity);
    for (let at = 0; at < clients; at++) open(at, message.port, context);
  }
});
process.on('disconnect', () => process.exit());

/**
 * As a sidecar: all clusters and listeners, the endpoints of every cluster that has some, the route tables that its listeners name. So every
 * endpoint change concerns every client.
 */
function open(index: number, port: number, context: ReturnType<typeof clientContext>): void {
  const marks = new Map<string, number>();
  const seen = new Set<string>();
  const parts = new Map<string, Uint8Array>();
  const stream = openAdsStream(port, context, (response) => {
    const { typeUrl, resources } = response;
    const kind = kindOfTypeUrl(typeUrl);
    if (kind === undefined) return;
    responses += 1;
    if (kind === 'cluster') ask('endpoints', resources.filter(isDiscovered).map(nameOf));
    if (kind === 'listener') ask('route', resources.map(nameOf).map(routeTableOf));
    stream.send(ackOf(parts.get(typeUrl) ?? new Uint8Array(), response));
    const now = preciseNow();
    if (kind === 'endpoints' || kind === 'route') {
      for (const resource of resources) {
        const mark = known(kind, resource, kind === 'endpoints' ? endpointsMark : routeMark);
        if (mark !== undefined) note(marks, mark, now);
      }
    }
    if (seen.size < 4 && seen.add(kind).size === 4 && ++complete === clients)
      process.send?.({ complete: preciseNow() });
  });
  const node = { id: `sidecar/default/${podName(index)}` };
  for (const kind of ['cluster', 'listener'] as const) {
    parts.set(TYPE_URL[kind], requestPart({ typeUrl: TYPE_URL[kind] }));
    stream.send(requestPart({ node, typeUrl: TYPE_URL[kind] }));
  }
  function ask(kind: 'endpoints' | 'route', names: readonly string[]): void {
    const typeUrl = TYPE_URL[kind];
    const part = known('request', Buffer.from(`${kind} ${names.join()}`), () =>
      requestPart({ typeUrl, resourceNames: names }),
    );
    if (parts.get(typeUrl) === part) return;
    parts.set(typeUrl, part);
    stream.send(part);
  }
}

/** Most of what the clients get is the same for all: it is read once. */
const read = new Map<string, unknown>();
function known<T>(what: string, bytes: Buffer, make: (bytes: Buffer) => T): T {
  const key = what + bytes.toString('latin1');
  if (!read.has(key)) {
    if (read.size > 20_000) read.clear();
    read.set(key, make(bytes));
  }
  return read.get(key) as T;
}

function isDiscovered(cluster: Buffer): boolean {
  return known('cluster', cluster, (bytes) => Cluster.decode(bytes).type === ClusterDiscoveryType.EDS);
}

/** docs/architecture.md, "xDS": a Service's listener and its table have one name. */
function routeTableOf(listener: string): string {
  if (listener === 'outbound-proxy') return 'outbound';
  return listener === 'inbound' ? 'inbound/8080' : listener;
}

function endpointsMark(bytes: Buffer): Mark {
  const { clusterName, endpoints } = ClusterLoadAssignment.decode(bytes);
  const [, , object = ''] = clusterName.split('/');
  const number = endpoints[0]?.lbEndpoints[0]?.endpoint?.address?.socketAddress?.portValue ?? FIRST_PORT;
  return { object, number, first: FIRST_PORT };
}

function routeMark(bytes: Buffer): Mark | undefined {
  const { name, virtualHosts } = RouteConfiguration.decode(bytes);
  if (name !== 'outbound') return undefined;
  const weights = virtualHosts.flatMap(
    ({ routes }) => routes[0]?.route?.weightedClusters?.clusters[0]?.weight?.value ?? [],
  );
  const [number] = weights;
  return number === undefined ? undefined : { object: 'route', number, first: FIRST_WEIGHT };
}

/** A client that was told the newest state has all the changes before it too. */
function note(marks: Map<string, number>, { object, number, first }: Mark, now: number): void {
  for (let each = (marks.get(object) ?? first) + 1; each <= number; each++) {
    const key = changeKey(object, each);
    const before = last.get(key);
    last.set(key, { atMs: Math.max(before?.atMs ?? 0, now), count: (before?.count ?? 0) + 1 });
  }
  marks.set(object, number);
}
