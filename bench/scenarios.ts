import { type Certificates, SERVER_NAME } from './certificates.ts';
import { cores } from './cores.ts';
import { dns } from './dns.ts';
import { type Driven, driven } from './driven.ts';
import { type Held, held } from './held.ts';
import { ARMED_ROUTES } from './peers/job.ts';
import { table } from './result.ts';
import type { Options, Scenario } from './scenario.ts';
import { start } from './start.ts';
import { xds } from './xds.ts';

const HTTP_PEERS = ['tutti', 'nginx', 'haproxy', 'envoy', 'caddy'] as const;
const TERMINATORS = ['tutti', 'nginx', 'haproxy', 'envoy'] as const;
/** New connections: what one core sets up at once is few, and each is a handshake. */
const CONNECTING_AT_ONCE = 16;
const MEGABYTE = 1024 * 1024;

const steady = ({ connections }: Options): object => ({ connections });
const CONNECTION_WEIGHT = 20;
const fresh = (): object => ({ connections: CONNECTING_AT_ONCE, fresh: true });
/** HTTP/2: few connections, each with many streams. */
const STREAMS = { connections: 8, streams: 8 } as const;
const plainLoad = { upstream: 'upstream.ts', load: 'closed-loop.ts' } as const;

/** What a client of a TLS listener needs; with `svid`, to be let into the mesh. */
function client({ ca, clientCertificate, clientKey }: Certificates, more: { svid?: true; resume?: true } = {}): object {
  const shown = more.svid === undefined ? {} : { certificate: clientCertificate, key: clientKey };
  return { tls: { ca, serverName: SERVER_NAME, ...shown, resume: more.resume === true } };
}

function bodies(direction: 'download' | 'upload', bytes: number, connections: number): Driven {
  const size = `${bytes / MEGABYTE}m`;
  return {
    name: `body-${direction}-${size}`,
    about: `${direction === 'download' ? 'answers' : 'requests'} of ${bytes / MEGABYTE} MB, ${connections} connections`,
    peers: TERMINATORS,
    upstream: 'body-upstream.ts',
    load: 'bodies.ts',
    loadOptions: () => ({ connections, direction, bytes }),
    unit: { name: 'GB', requests: 1e9 / bytes },
    weight: bytes / 20_000,
  };
}

const DRIVEN: readonly Driven[] = [
  {
    ...plainLoad,
    name: 'http1',
    about: 'HTTP/1.1, 100 B, keep-alive',
    peers: [...HTTP_PEERS, 'http-proxy', 'undici'],
    loadOptions: steady,
  },
  {
    ...plainLoad,
    name: 'http1-armed',
    about:
      '50 routes by header, 3 weighted clusters of 20 endpoints, retries, outlier detection, 1 % traced; beside the simple job',
    peers: [
      'tutti',
      { peer: 'tutti', name: 'tutti-simple', job: { routes: 'one' } },
      'envoy',
      { peer: 'nginx', name: 'nginx-simple', job: { routes: 'one' } },
      { peer: 'haproxy', name: 'haproxy-simple', job: { routes: 'one' } },
    ],
    job: { routes: 'armed' },
    upstreamAddresses: Array.from({ length: 60 }, (_, at) => `127.0.1.${at + 1}`),
    loadOptions: (options) => ({ ...steady(options), tenants: ARMED_ROUTES }),
  },
  {
    ...plainLoad,
    name: 'tls',
    about: 'TLS 1.3 from the client, P-256, keep-alive',
    peers: HTTP_PEERS,
    job: { front: 'tls' },
    loadOptions: (options, certificates) => ({ ...steady(options), ...client(certificates) }),
  },
  {
    ...plainLoad,
    name: 'mtls',
    about: 'client, proxy, mTLS, proxy, application; both proxies counted',
    peers: HTTP_PEERS,
    hop: 'mtls',
    loadOptions: steady,
  },
  bodies('download', MEGABYTE, 16),
  bodies('upload', MEGABYTE, 16),
  bodies('download', 100 * MEGABYTE, 4),
  bodies('upload', 100 * MEGABYTE, 4),
  {
    name: 'http2',
    about: 'HTTP/2 from the client, HTTP/1.1 to the upstreams; 100 B',
    peers: TERMINATORS,
    job: { protocol: 'http2' },
    upstream: 'upstream.ts',
    load: 'h2load.ts',
    loadOptions: () => STREAMS,
  },
  {
    name: 'grpc',
    about: 'gRPC unary calls with 100 B each way, HTTP/2 on both sides',
    peers: TERMINATORS,
    job: { protocol: 'http2', upstreamProtocol: 'http2' },
    upstream: 'grpc-upstream.ts',
    load: 'h2load.ts',
    loadOptions: () => ({ ...STREAMS, grpc: true }),
  },
  {
    name: 'stream-grpc',
    about: 'gRPC bidirectional streams, 100 B echoed, 8 on each of 8 connections',
    peers: TERMINATORS,
    job: { protocol: 'http2', upstreamProtocol: 'http2' },
    upstream: 'grpc-upstream.ts',
    upstreamFlags: ['--echo'],
    load: 'grpc-streams.ts',
    loadOptions: () => STREAMS,
    unit: { name: 'message', requests: 1 },
  },
  {
    name: 'stream-websocket',
    about: 'WebSocket, 100 B echoed, all connections at once',
    peers: TERMINATORS,
    upstream: 'echo-upstream.ts',
    load: 'websocket.ts',
    loadOptions: steady,
    unit: { name: 'message', requests: 1 },
  },
  {
    name: 'stream-tcp',
    about: 'plain TCP, 100 B echoed, all connections at once',
    peers: TERMINATORS,
    job: { carries: 'bytes' },
    upstream: 'tcp-upstream.ts',
    load: 'tcp.ts',
    loadOptions: steady,
    unit: { name: 'message', requests: 1 },
  },
  {
    ...plainLoad,
    name: 'connect-plain',
    about: 'a connection for each request',
    peers: TERMINATORS,
    loadOptions: fresh,
    weight: CONNECTION_WEIGHT,
  },
  {
    ...plainLoad,
    name: 'connect-tls',
    about: 'a connection for each request, TLS 1.3, full handshake',
    peers: TERMINATORS,
    job: { front: 'tls' },
    weight: CONNECTION_WEIGHT,
    loadOptions: (_, certificates) => ({ ...fresh(), ...client(certificates) }),
  },
  {
    ...plainLoad,
    name: 'connect-tls-resumed',
    about: 'the same with a session ticket, where the proxy gives one',
    peers: TERMINATORS,
    job: { front: 'tls' },
    weight: CONNECTION_WEIGHT,
    loadOptions: (_, certificates) => ({ ...fresh(), ...client(certificates, { resume: true }) }),
  },
  {
    ...plainLoad,
    name: 'connect-mtls',
    about: 'the same with certificates on both sides, full handshake',
    peers: TERMINATORS,
    job: { front: 'mtls' },
    weight: CONNECTION_WEIGHT,
    loadOptions: (_, certificates) => ({ ...fresh(), ...client(certificates, { svid: true }) }),
  },
];

const HELD: readonly Held[] = [
  {
    name: 'body-slow-reader',
    about: 'clients that ask for 100 MB and stop reading: memory for each',
    connections: 100,
    upstream: 'body-upstream.ts',
    load: 'slow-readers.ts',
  },
  {
    name: 'idle',
    about: '10,000 idle connections: memory for each',
    connections: 10_000,
    upstream: 'upstream.ts',
    load: 'idle-connections.ts',
  },
];

const DNS: Scenario = {
  name: 'dns',
  about: "a cluster's questions beside unbound, dnsmasq and CoreDNS",
  run: async (options) => {
    const result = await dns(options);
    return { name: 'dns', text: table(result, { name: 'answer', requests: 1 }), json: result };
  },
};

/** In the order in which they run. */
export const SCENARIOS: readonly Scenario[] = [...DRIVEN.map(driven), ...HELD.map(held), cores, start, DNS, xds];

/** Those of a name, or of a family: `body` is every `body-…`. */
export function scenariosNamed(name: string): readonly Scenario[] {
  const exact = SCENARIOS.filter((scenario) => scenario.name === name);
  return exact.length > 0 ? exact : SCENARIOS.filter((scenario) => scenario.name.startsWith(`${name}-`));
}
