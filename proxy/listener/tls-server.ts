import { constants } from 'node:crypto';
import tls from 'node:tls';
import type { MeshTls } from '../socket/mesh-tls.ts';
import type { Telemetry, TlsRefusal } from '../telemetry/telemetry.ts';
import { chainFor, chainsFor, HTTP_1, protocolFor } from './chain-match.ts';
import type { FilterChain } from './listener-config.ts';

const HANDSHAKE_TIMEOUT_MS = 10_000;

/** A connection that passed: which chains are for it, and who is on the other side. */
interface Secured {
  readonly socket: tls.TLSSocket;
  /** Chains for the server name, of which what is spoken says which it is: ALPN where it settled that. */
  readonly chains: readonly FilterChain[];
  /** '' where the client asked for none. */
  readonly protocol: string;
  /** The verified SPIFFE id of a mesh chain's peer; '' where no certificate is asked for. */
  readonly peerId: string;
}

export interface TlsServerOptions {
  readonly meshTls: MeshTls;
  readonly telemetry: Telemetry;
  readonly chains: () => readonly FilterChain[];
  readonly onSecured: (secured: Secured) => void;
}

/**
 * A TLS server whose certificate and rules depend on the server name. Certificates are looked up for each handshake, so a
 * rotation needs no restart and cuts nothing. Session tickets are off: each connection shows its certificate and is
 * verified anew (SSL_OP_NO_TICKET leaves only stateful resumption, for which the server keeps no sessions).
 */
export function createTlsServer(options: TlsServerOptions): tls.Server {
  const contexts = new WeakMap<FilterChain, tls.SecureContext>();
  const chains = options.chains();
  const mesh = chains.filter((chain) => chain.tls?.kind === 'mesh');
  const server = tls.createServer({
    allowHalfOpen: true,
    ALPNCallback: ({ servername, protocols }: AlpnOffer) =>
      protocolFor(options.chains(), typeof servername === 'string' ? servername : '', protocols),
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    minVersion: mesh.length === chains.length ? 'TLSv1.3' : 'TLSv1.2',
    requestCert: mesh.length > 0,
    // Verified below against the trust bundle of the moment, for SPIFFE, with a reason that is counted.
    rejectUnauthorized: false,
    secureOptions: constants.SSL_OP_NO_TICKET,
    SNICallback: (serverName, done) => {
      const chain = chainsFor(options.chains(), serverName)[0];
      const context = chain === undefined ? undefined : contextOf(chain, options.meshTls, contexts);
      if (context === undefined) done(new UnknownServerName(serverName));
      else done(null, context);
    },
  });
  server.on('secureConnection', (socket) => secured(socket, options));
  server.on('tlsClientError', (error, socket) => {
    options.telemetry.tlsRefused('server', refusalOf(error), error.message);
    socket.destroy();
  });
  return server;
}

/** As Node calls it: `servername` is false when the client named none. */
interface AlpnOffer {
  readonly servername: string | false;
  readonly protocols: readonly string[];
}

/** The chain that takes connections without a server name decides the server's own certificate; to be called after changes. */
export function setDefaultCertificate(
  server: tls.Server,
  chains: readonly FilterChain[],
  identity:
    | { readonly certificateChainPem: string; readonly privateKeyPem: string; readonly trustBundlePem: string }
    | undefined,
): void {
  const [chain] = chainsFor(chains, '');
  if (chain?.tls?.kind === 'certificate') {
    server.setSecureContext({ cert: chain.tls.certificatePem, key: chain.tls.privateKeyPem });
  } else if (chain?.tls?.kind === 'mesh' && identity !== undefined) {
    server.setSecureContext({
      cert: identity.certificateChainPem,
      key: identity.privateKeyPem,
      ca: identity.trustBundlePem,
      minVersion: 'TLSv1.3',
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
  }
}

class UnknownServerName extends Error {
  constructor(serverName: string) {
    super(`server name "${serverName}": no filter chain serves it`);
  }
}

function contextOf(
  chain: FilterChain,
  meshTls: MeshTls,
  contexts: WeakMap<FilterChain, tls.SecureContext>,
): tls.SecureContext | undefined {
  if (chain.tls === undefined) return undefined;
  if (chain.tls.kind === 'mesh') return meshTls.context;
  let context = contexts.get(chain);
  if (context === undefined) {
    context = tls.createSecureContext({
      cert: chain.tls.certificatePem,
      key: chain.tls.privateKeyPem,
      minVersion: 'TLSv1.2',
    });
    contexts.set(chain, context);
  }
  return context;
}

function secured(socket: tls.TLSSocket, options: TlsServerOptions): void {
  const refuse = (refusal: TlsRefusal, detail = ''): void => {
    options.telemetry.tlsRefused('server', refusal, detail);
    socket.destroy();
  };
  // `servername` is false when the client named none.
  const serverName = typeof socket.servername === 'string' ? socket.servername : '';
  const chains = chainsFor(options.chains(), serverName);
  const protocol = typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : '';
  const chain = chainFor(chains, protocol === '' ? HTTP_1 : protocol);
  if (chain === undefined) refuse('unknown-server-name');
  else if (chain.tls?.kind !== 'mesh') options.onSecured({ socket, chains, protocol, peerId: '' });
  else if (socket.getProtocol() !== 'TLSv1.3') refuse('handshake');
  else {
    const verdict = options.meshTls.verify(socket);
    if (verdict.ok) options.onSecured({ socket, chains, protocol, peerId: verdict.spiffeId });
    else refuse(verdict.refusal, verdict.message);
  }
}

// What OpenSSL says when the first bytes are no TLS record.
const NOT_TLS = new Set(['ERR_SSL_HTTP_REQUEST', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']);

function refusalOf(error: Error & { readonly code?: string }): TlsRefusal {
  if (error instanceof UnknownServerName) return 'unknown-server-name';
  if (error.code !== undefined && NOT_TLS.has(error.code)) return 'plaintext';
  return error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT' ? 'timeout' : 'handshake';
}
