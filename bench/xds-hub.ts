/**
 * `node bench/xds-hub.ts`: what a response and its ACK cost the xDS server's own code, without API server, gRPC, TLS and network: translation,
 * hub, sessions, and the bytes of both. The changes and the proxies are those of `npm run bench -- xds`.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { type EndpointSlice, endpointSliceKind } from '../api/kinds/endpoint-slice.ts';
import type { HttpRoute } from '../api/kinds/http-route.ts';
import { SOTW } from '../control/xds/ads-variant.ts';
import { Hub, type Link } from '../control/xds/hub.ts';
import { RESOURCE_KINDS, type ResourceKind, TYPE_URL } from '../control/xds/resource.ts';
import type { SessionResponse } from '../control/xds/session.ts';
import { httpRoute, made, pod, service, worldObjects } from '../control/xds/test-support/objects.ts';
import { Memo } from '../control/xds/translate/memo.ts';
import { translate } from '../control/xds/translate/translation.ts';
import { systemClock } from '../kit/clock.ts';
import { silentLog } from '../kit/log.ts';
import { ackOf, requestPart } from './mesh/ads-stream.ts';

const [clients, rounds] = [Number(process.argv[2] ?? 500), Number(process.argv[3] ?? 5)];
const SERVICES = 50;
const [ENDPOINTS, ENDPOINT_CHANGES, FIRST_PORT] = [10, 10, 10_000];
const FEATURES = { timeToLive: false };
const TRUST_DOMAIN = 'tutti.local';
/** Turns of the event loop without a response after which all is told. */
const QUIET_TURNS = 3;

const pods = Array.from({ length: clients }, (_, at) => pod(`p${at}`, { at: (at % 250) + 2 }));
const services = Array.from({ length: SERVICES }, (_, at) => service(`s${at}`, { outboundPort: 20_000 + at }));
const slices = services.map(({ metadata }) => endpointsAt(metadata.name, FIRST_PORT));
let route = routeOfWeight(1);
const memo = new Memo();
const hub = new Hub({ clock: systemClock(), log: silentLog(), onProgress: () => {} });
let responses = 0;
tell();
for (const { metadata } of pods) connect(`sidecar/default/${metadata.name}`);
await settled();
for (let round = 0; round <= rounds; round++) {
  const [before, cpu] = [responses, process.cpuUsage()];
  for (let change = 0; change <= ENDPOINT_CHANGES; change++) {
    if (change === ENDPOINT_CHANGES) route = routeOfWeight(round + 2);
    else {
      const at = (round * ENDPOINT_CHANGES + change) % SERVICES;
      slices[at] = endpointsAt(`s${at}`, FIRST_PORT + 1 + round);
    }
    tell();
    await settled();
  }
  const { user, system } = process.cpuUsage(cpu);
  const each = (user + system) / (responses - before);
  // The first is for the compiler.
  if (round > 0) process.stdout.write(`${responses - before} responses ACKed, ${each.toFixed(1)} µs each\n`);
}

function tell(): void {
  const objects = worldObjects({ pods, services, endpointSlices: slices, httpRoutes: [route] });
  hub.setTranslation(translate(objects, TRUST_DOMAIN, memo), 0);
  memo.sweep();
}

async function settled(): Promise<void> {
  for (let quiet = 0, seen = responses; quiet < QUIET_TURNS; quiet = seen === responses ? quiet + 1 : 0) {
    seen = responses;
    await turn();
  }
}

/** A client that asks for all there is and ACKs what it gets, in bytes, on a turn of its own. */
function connect(nodeId: string): void {
  const read = SOTW.reader();
  const parts = new Map<ResourceKind, Uint8Array>();
  const waiting: SessionResponse[] = [];
  const link = hub.open({
    nodeId,
    spiffeId: `spiffe://${TRUST_DOMAIN}/ns/default/sa/default`,
    version: 'bench',
    variant: 'sotw',
    features: FEATURES,
    congested: false,
    send: (response) => {
      SOTW.write(response, FEATURES, 'bench');
      if (waiting.push(response) === 1) setImmediate(answer);
    },
    refuse: (reason) => {
      throw new Error(reason);
    },
  });
  const answer = (): void => {
    for (const response of waiting.splice(0)) {
      responses += 1;
      if (response.kind === 'cluster') ask('endpoints', response, ({ name }) => name.startsWith('service/'));
      if (response.kind === 'listener') ask('route', response, () => true);
      const part = parts.get(response.kind) ?? new Uint8Array();
      request(link, Buffer.from(ackOf(part, response)));
    }
  };
  for (const kind of ['cluster', 'listener'] as const) {
    parts.set(kind, requestPart({ typeUrl: TYPE_URL[kind] }));
    request(link, Buffer.from(parts.get(kind) ?? []));
  }
  function ask(kind: ResourceKind, { resources }: SessionResponse, wanted: (one: { name: string }) => boolean): void {
    if (parts.has(kind)) return;
    const resourceNames = resources.filter(wanted).map(({ name }) => (name === 'outbound-proxy' ? 'outbound' : name));
    parts.set(kind, requestPart({ typeUrl: TYPE_URL[kind], resourceNames }));
    request(link, Buffer.from(parts.get(kind) ?? []));
  }
  function request(to: Link | undefined, bytes: Buffer): void {
    const { typeUrl, as } = read(bytes);
    const kind = RESOURCE_KINDS.find((one) => TYPE_URL[one] === typeUrl);
    if (kind !== undefined) to?.request(as(kind));
  }
}

/** Of a workload without a sidecar, so that a port is news of endpoints alone. */
function endpointsAt(name: string, port: number): EndpointSlice {
  const addresses = Array.from({ length: ENDPOINTS }, (_, at) => `127.65.0.${at + 1}`);
  const labels = { 'kubernetes.io/service-name': name };
  return made(
    endpointSliceKind,
    { name: `${name}-1`, labels },
    {
      addressType: 'IPv4',
      ports: [{ name: 'http', port }],
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    },
  );
}

function routeOfWeight(weight: number): HttpRoute {
  const backendRefs = [
    { name: 's0', port: 80, weight },
    { name: 's1', port: 80, weight: 1 },
  ];
  const parentRefs = [{ group: '', kind: 'Service', name: 's0' }];
  return httpRoute('route', { parentRefs, rules: [{ backendRefs }] }, { generation: weight });
}
