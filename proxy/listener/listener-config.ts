/** A socket that the proxy accepts on: xDS' Listener, reduced to what the engine acts on. Never mutated. */
export interface ListenerConfig {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Which side of the mesh a request enters by; labels metrics and log lines. */
  readonly direction: 'inbound' | 'outbound' | 'ingress';
  /**
   * Tried in order; the first whose `serverNames` hold the TLS server name, or which names none, takes the connection, if the
   * protocol that ALPN settled is among its `applicationProtocols`, or it names none. A listener whose chains have TLS refuses plaintext.
   */
  readonly chains: readonly FilterChain[];
  /** What is read of a connection before its chain is known; undefined where nothing must be (Envoy's listener filters). */
  readonly opening?: OpeningConfig;
  /** Every connection begins with a PROXY protocol header, which says who the client is; undefined where none is looked for. */
  readonly acceptProxyProtocol?: AcceptProxyProtocol;
}

export interface AcceptProxyProtocol {
  /** Networks (`10.0.0.0/8`) of those who may connect at all, since they say who others are; empty for anybody. */
  readonly sources: readonly string[];
  /** For the header to come whole. */
  readonly timeoutMs: number;
}

export interface OpeningConfig {
  readonly look: /**
   * Tells HTTP from other bytes, with or without TLS around them; not where ALPN settled what is spoken. The chain is the first that
   * takes the protocol, as ALPN's would be: `http/1.0`, `http/1.1` and `h2c` are HTTP.
   */
    | 'http'
    /** Chains without TLS are chosen by the server name of a TLS that is not ended here. */
    | 'server-name';
  /**
   * For all of it. With `http` a client that is silent, or not understood yet, is then taken as it is: where servers speak first, it waits
   * for them. Without a server name the connection is closed.
   */
  readonly timeoutMs: number;
}

export type FilterChain = ChainMatch & (HttpChain | TcpChain);

interface ChainMatch {
  readonly name: string;
  readonly serverNames: readonly string[];
  /** Offered to TLS clients (ALPN); empty for `http/1.1`, and for clients that ask for none. */
  readonly applicationProtocols: readonly string[];
  readonly tls: DownstreamTls | undefined;
}

interface HttpChain {
  readonly http: HttpConnectionConfig;
  readonly tcp?: never;
}

/** Bytes go to a cluster as they are; to one of several by weight. */
interface TcpChain {
  readonly http?: never;
  readonly tcp: { readonly cluster: string } | { readonly weighted: readonly WeightedTarget[] };
}

export interface WeightedTarget {
  readonly cluster: string;
  readonly weight: number;
}

export type DownstreamTls =
  /** Mesh mTLS: our SVID is shown, and the peer must show one that the trust bundle verifies. TLS 1.3 only. */
  | { readonly kind: 'mesh' }
  /** A Gateway's certificate for clients outside. */
  | { readonly kind: 'certificate'; readonly certificatePem: string; readonly privateKeyPem: string };

export interface HttpConnectionConfig {
  /** Name of the RouteTable; a listener is not ready before that table is. */
  readonly routeTable: string;
  /** Accepts absolute-form targets and CONNECT: what clients send when HTTP_PROXY points here. */
  readonly forwardProxy: boolean;
  /** Routes' words on pages of other origins hold (Envoy's CORS filter). */
  readonly cors: boolean;
  /** Trust X-Forwarded-* of the client (inside the mesh) or begin them anew (at the edge). */
  readonly trustForwarded: boolean;
  readonly idleTimeoutMs: number;
  readonly headerTimeoutMs: number;
  readonly accessLog: boolean;
}
