import { MESH_BYTES_PROTOCOL, MESH_HTTP1_PROTOCOL } from '../../api/meta/well-known.ts';
import type { Spoken } from '../detection/first-bytes.ts';
import type { FilterChain } from './listener-config.ts';

export const HTTP_1 = 'http/1.1';
/** What the HTTP connection manager speaks, the best first. */
const HTTP = ['h2', HTTP_1];
/** Who takes both takes HTTP/1.1 within HTTP/2. */
const CARRYING_HTTP = [MESH_HTTP1_PROTOCOL, ...HTTP];
/** What a client may ask for who wants bytes passed on. */
const BYTES = [MESH_BYTES_PROTOCOL, HTTP_1];

/** Tried in order; server names are compared in lower case (RFC 6066 section 3; CVE-2026-48928), `*.` stands for one or more labels. */
export function chainsFor(chains: readonly FilterChain[], serverName: string): readonly FilterChain[] {
  const name = serverName.toLowerCase();
  return chains.filter(
    (chain) =>
      chain.serverNames.length === 0 ||
      chain.serverNames.some((wanted) => {
        const pattern = wanted.toLowerCase();
        return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern;
      }),
  );
}

/** Of what the client offers by ALPN, what the first chain that can takes. Undefined ends the handshake (RFC 7301, section 3.2). */
export function protocolFor(
  chains: readonly FilterChain[],
  serverName: string,
  offered: readonly string[],
): string | undefined {
  const taken = chainsFor(chains, serverName).flatMap((chain) => protocolsOf(chain));
  return taken.find((protocol) => offered.includes(protocol));
}

/** Of the chains for a server name, the first that takes the protocol. */
export function chainFor(chains: readonly FilterChain[], protocol: string): FilterChain | undefined {
  return chains.find((chain) => protocolsOf(chain).includes(protocol));
}

/** The same by a client's first bytes; a chain that names no protocols takes all. */
export function chainForSpoken(chains: readonly FilterChain[], spoken: Spoken): FilterChain | undefined {
  const names = NAMES[spoken];
  return chains.find(
    ({ applicationProtocols: wanted }) => wanted.length === 0 || names.some((name) => wanted.includes(name)),
  );
}

/** What a chain may call it: as Envoy's HTTP inspector does, or as ALPN. */
const NAMES: Readonly<Record<Spoken, readonly string[]>> = {
  'http/1.0': ['http/1.0', HTTP_1],
  'http/1.1': [HTTP_1],
  h2c: ['h2c', 'h2'],
  tls: [],
  bytes: [],
};

function protocolsOf({ applicationProtocols, tcp }: FilterChain): readonly string[] {
  if (applicationProtocols.length === 0) return tcp === undefined ? CARRYING_HTTP : BYTES;
  const carries = tcp === undefined && HTTP.every((known) => applicationProtocols.includes(known));
  return carries ? [MESH_HTTP1_PROTOCOL, ...applicationProtocols] : applicationProtocols;
}
