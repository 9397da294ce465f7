import { constants } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type SecureContextOptions, type TLSSocket } from 'node:tls';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { peerChain } from '../../certs/workload/peer-chain.ts';
import { PeerVerifier } from '../../certs/workload/peer-verifier.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { XdsMetrics } from './metrics.ts';

/** Who this process is, now and when that changes. IdentitySource (certs/workload/) is one. */
export interface IdentityFeed {
  current(): MeshIdentity;
  /** Returns what ends the subscription. */
  onChange(listener: (identity: MeshIdentity) => void): () => void;
}

export interface ProxyListenerOptions {
  readonly address: string;
  /** 0 for the system's choice. */
  readonly port: number;
  readonly identity: IdentityFeed;
  readonly metrics: XdsMetrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** Gets each connection whose peer is of our mesh. */
  readonly take: (socket: TLSSocket) => void;
}

export interface ProxyListener {
  readonly port: number;
  /** Takes no more connections; those that stand go on. */
  close(): void;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * mTLS for the xDS server: handshakes show the newest identity, and every peer is verified as an SVID against the trust bundle of now, with
 * its reason where it is refused. Sessions are not resumed. Connections that stand keep what they were made with, so a rotation cuts none.
 */
export async function listenForProxies(options: ProxyListenerOptions): Promise<ProxyListener> {
  const { address, port, identity, log } = options;
  const verifier = new PeerVerifier();
  const server = createServer({
    ...secureContext(identity.current()),
    // Not ALPNProtocols: of those each connection keeps a copy, and with it 64 KB of the pool that it was taken from.
    ALPNCallback: ({ protocols }) => (protocols.includes('h2') ? 'h2' : undefined),
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    requestCert: true,
    rejectUnauthorized: false,
  });
  const unsubscribe = identity.onChange((next) => server.setSecureContext(secureContext(next)));
  server.on('secureConnection', (socket) => {
    socket.on('error', (error) => log.debug({ error }, 'a connection to the xDS server failed'));
    if (isWelcome(socket, verifier, options)) options.take(socket);
    else socket.destroy();
  });
  server.on('tlsClientError', (error, socket) => {
    options.metrics.refused('handshake');
    log.debug({ error, peer: socket.remoteAddress }, 'a TLS handshake with the xDS server failed');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message;
      const refused = new Error(`bind xDS on ${address}:${port}: ${why}`, { cause: error });
      reject(Object.assign(refused, { code: error.code }));
    });
    server.listen(port, address, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      unsubscribe();
      server.close();
    },
  };
}

function isWelcome(socket: TLSSocket, verifier: PeerVerifier, options: ProxyListenerOptions): boolean {
  const { identity, metrics, clock, log } = options;
  const verdict = verifier.verify(peerChain(socket), identity.current().trustBundlePem, clock.now());
  if (verdict.ok) return true;
  const { reason, detail } = verdict;
  metrics.refused(reason);
  log.warn({ reason, detail, peer: socket.remoteAddress }, 'a client of the xDS server is refused');
  return false;
}

function secureContext({ certificateChainPem, privateKeyPem, trustBundlePem }: MeshIdentity): SecureContextOptions {
  return {
    cert: certificateChainPem,
    key: privateKeyPem,
    ca: trustBundlePem,
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
