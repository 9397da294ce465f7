import type { Certificates } from '../certificates.ts';

export interface Upstream {
  readonly address: string;
  readonly port: number;
}

/** What a proxy is to do in a scenario; each peer says it in its own language. */
export interface Job {
  /** For its configuration files. */
  readonly folder: string;
  readonly port: number;
  readonly upstreams: readonly Upstream[];
  /** How clients come: `tls` shows a certificate, `mtls` wants one as well. */
  readonly front: 'plain' | 'tls' | 'mtls';
  readonly back: 'plain' | 'mtls';
  /** What clients speak; HTTP/2 with prior knowledge, which Caddy, http-proxy and undici have no words for here. */
  readonly protocol: 'http1' | 'http2';
  readonly upstreamProtocol: 'http1' | 'http2';
  /** Bytes go through as they are, if told; HTTP otherwise. Only with plain sides. */
  readonly carries?: 'bytes';
  /** `armed`: 50 routes by header, three weighted clusters, retries, outlier detection, and 1 % of the requests traced. */
  readonly routes: 'one' | 'armed';
  /** Where an armed job's spans go, over OTLP/HTTP. */
  readonly collector?: Upstream;
  readonly certificates: Certificates;
  /** One unless told. Of Tutti alone. */
  readonly workers?: number;
  /** Where its metrics are asked for; nowhere unless told. Of Tutti alone. */
  readonly adminPort?: number;
}

/** The simplest job there is. */
export const PLAIN = {
  front: 'plain',
  back: 'plain',
  routes: 'one',
  protocol: 'http1',
  upstreamProtocol: 'http1',
} as const;

export const ARMED_ROUTES = 50;
/** Of an armed job's clusters, among which its upstreams are dealt in turn. */
export const ARMED_WEIGHTS = [80, 15, 5] as const;
/** The header by whose value an armed job's routes are told apart. */
export const ROUTE_HEADER = 'x-tenant';

/** Of an armed job's requests. */
export const TRACED_PERCENT = 1;

export function tenant(route: number): string {
  return `tenant-${route}`;
}

/** An armed job's upstreams, by cluster. */
export function dealt(upstreams: readonly Upstream[]): Upstream[][] {
  return ARMED_WEIGHTS.map((_, cluster) => upstreams.filter((_upstream, at) => at % ARMED_WEIGHTS.length === cluster));
}
