import { type Hello, readClientHello } from '../detection/client-hello.ts';
import { likelySpokenBy, type Spoken, spokenBy } from '../detection/first-bytes.ts';
import type { ProxyHeader } from '../proxy-protocol/header.ts';
import { parseProxyHeader } from '../proxy-protocol/parse.ts';

/** What is looked for in a connection's first bytes, so that its chain is known. Pure. */
export interface Look<Found> {
  /** Undefined while more bytes could tell. */
  find(held: Buffer): Found | undefined;
  /** There will be no more: the time is over, or the client has ended its side. Undefined closes the connection. */
  settle(held: Buffer, why: 'time' | 'end'): Found | undefined;
  /** How many of the bytes were for us alone; none unless told. */
  taken?(found: Found): number;
  /** What makes of a client that broke a long silence something else than was settled. */
  reconsider(first: Buffer): Found | undefined;
}

export const HTTP_LOOK: Look<Spoken> = {
  find: spokenBy,
  // Half a request line and no more to come is no request.
  settle: (held, why) => (why === 'end' ? 'bytes' : likelySpokenBy(held)),
  reconsider: (first) => {
    const spoken = likelySpokenBy(first);
    return spoken === 'bytes' || spoken === 'tls' ? undefined : spoken;
  },
};

export const SERVER_NAME_LOOK: Look<Hello> = {
  find: readClientHello,
  settle: (_held, why) => ({
    kind: 'broken',
    message: `the ClientHello did not come whole: ${why === 'time' ? 'time is over' : 'the client has ended'}`,
  }),
  reconsider: () => undefined,
};

export type HeaderFound =
  | { readonly kind: 'header'; readonly header: ProxyHeader }
  | { readonly kind: 'refused'; readonly reason: 'missing' | 'broken' | 'timeout'; readonly message: string };

export const PROXY_HEADER_LOOK: Look<HeaderFound> = {
  find: parseProxyHeader,
  settle: (held, why) => ({
    kind: 'refused',
    reason: why === 'time' ? 'timeout' : 'missing',
    message: `the PROXY protocol header did not come whole: ${held.length} bytes did`,
  }),
  taken: (found) => (found.kind === 'header' ? found.header.bytes : 0),
  reconsider: () => undefined,
};
