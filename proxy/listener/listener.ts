import net from 'node:net';
import type tls from 'node:tls';
import { MESH_HTTP1_PROTOCOL } from '../../api/meta/well-known.ts';
import type { Hello } from '../detection/client-hello.ts';
import type { Downstream } from '../filters/request-draft.ts';
import { ServerConnection } from '../http1/server-connection.ts';
import { ServerConnection as Http2ServerConnection } from '../http2/server-connection.ts';
import type { Runtime } from '../runtime.ts';
import { descriptorOf } from '../socket/descriptor.ts';
import { type ListenAt, listen } from '../socket/listen.ts';
import { type ByteReceiver, eventRead, listeningHandle, readAccepted, sharedSocket } from '../socket/shared-read.ts';
import { chainFor, chainForSpoken, chainsFor, HTTP_1 } from './chain-match.ts';
import type { Connection } from './connection.ts';
import type { AcceptProxyProtocol, FilterChain, HttpConnectionConfig, ListenerConfig } from './listener-config.ts';
import { HTTP_LOOK, PROXY_HEADER_LOOK, SERVER_NAME_LOOK } from './look.ts';
import { OpeningConnection } from './opening-connection.ts';
import { pickTarget } from './pick-target.ts';
import { ProxiedClients } from './proxied-clients.ts';
import { isFromSource } from './source-networks.ts';
import { type Client, clientOf, TcpConnection } from './tcp-connection.ts';
import { handOverToTls } from './tls-hand-over.ts';
import { createTlsServer, setDefaultCertificate } from './tls-server.ts';

/** How accepted sockets are read: `shared` where the listening handle allows it, `events` always works. */
export type ReadMode = 'shared' | 'events';

// What nginx and HAProxy ask for on a busy host; the kernel's somaxconn has the last word.
const BACKLOG = 1024;

/** A bound address and the connections that came by it. A change of its chains takes effect with the next connection. */
export class Listener {
  #config: ListenerConfig;
  readonly #runtime: Runtime;
  readonly #readMode: ReadMode;
  readonly #connections = new Set<Connection>();
  readonly #proxied = new ProxiedClients();
  /** One for each socket of the address: more than one only after a hot restart with fewer workers. */
  readonly #servers: net.Server[] = [];
  #secure: tls.Server | undefined = undefined;
  /** Each connection is told of it: a system call, if the server were asked. */
  #boundPort: number | undefined = undefined;

  private constructor(runtime: Runtime, config: ListenerConfig, readMode: ReadMode) {
    this.#runtime = runtime;
    this.#config = config;
    this.#readMode = readMode;
  }

  /** Resolves when connections are taken; rejects when the address cannot be bound. */
  static async bind(runtime: Runtime, config: ListenerConfig, readMode: ReadMode): Promise<Listener> {
    const listener = new Listener(runtime, config, readMode);
    try {
      await listener.#listen();
    } catch (error) {
      listener.#closeServers();
      throw error;
    }
    return listener;
  }

  get config(): ListenerConfig {
    return this.#config;
  }

  get address(): string {
    return this.#config.address;
  }

  /** The bound port, also where the configuration leaves it to the system with 0. */
  get port(): number {
    return this.#boundPort ?? this.#config.port;
  }

  get descriptors(): readonly number[] {
    return this.#servers.flatMap((server) => descriptorOf(server) ?? []);
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Whether `update` is enough, or the socket must be bound anew. */
  canBecome(config: ListenerConfig): boolean {
    return (
      config.address === this.#config.address &&
      config.port === this.#config.port &&
      config.direction === this.#config.direction &&
      hasTls(config) === hasTls(this.#config) &&
      (config.acceptProxyProtocol === undefined) === (this.#config.acceptProxyProtocol === undefined)
    );
  }

  update(config: ListenerConfig): void {
    this.#config = config;
    this.identityChanged();
  }

  identityChanged(): void {
    if (this.#secure !== undefined) {
      setDefaultCertificate(this.#secure, this.#config.chains, this.#runtime.meshTls.identity);
    }
  }

  /** Clients that can be told are asked to go elsewhere with new requests. Those of a sidecar's own app cannot. */
  drain(): void {
    if (this.#config.direction !== 'outbound') for (const connection of this.#connections) connection.drain?.();
  }

  /** Another process accepts in its place; those that are there are asked to go there with what is new. */
  leave(): void {
    this.#closeServers();
    for (const connection of this.#connections) connection.drain?.();
  }

  /** Takes no more connections; those that are there finish what is in flight. */
  retire(): void {
    this.#closeServers();
    for (const connection of this.#connections) connection.retire();
  }

  /** Cuts everything. */
  close(): void {
    this.#closeServers();
    for (const connection of this.#connections) connection.close();
  }

  #closeServers(): void {
    for (const server of this.#servers) server.close();
  }

  async #listen(): Promise<void> {
    const [first, ...others] = this.#runtime.sockets.whereTo(this.#config);
    const server = this.#createServer();
    await this.#listenWith(server, first);
    for (const place of others) await this.#listenWith(Listener.#furtherServer(server), place);
  }

  async #listenWith(server: net.Server, place: ListenAt): Promise<void> {
    this.#servers.push(server);
    await listen(server, { ...place, backlog: BACKLOG });
    server.on('error', (error) => this.#runtime.log.warn({ error }, `listener "${this.#config.name}"`));
    // Asked for only where it is not known: a system call for each of a hundred listeners.
    const address = this.#config.port === 0 ? server.address() : null;
    if (typeof address === 'object') this.#boundPort = address?.port;
    if (!hasTls(this.#config)) this.#takeHandle(server);
  }

  #createServer(): net.Server {
    if (!hasTls(this.#config)) return this.#createPlain();
    const secure = this.#createSecure();
    return this.#config.acceptProxyProtocol === undefined ? secure : this.#createPlain();
  }

  #createPlain(): net.Server {
    const server = net.createServer({ allowHalfOpen: true });
    server.on('connection', (socket) => {
      const connection = this.#accept({ socket, chains: this.#config.chains, peerId: '' });
      if (connection !== undefined) eventRead(socket, connection);
    });
    return server;
  }

  /** For another socket of the address: what it accepts is the first one's. */
  static #furtherServer(first: net.Server): net.Server {
    const server = net.createServer({ allowHalfOpen: true });
    server.on('connection', (socket) => void first.emit('connection', socket));
    return server;
  }

  /** Where Node is as we know it, accepted sockets read into the shared buffer; otherwise 'connection' stays in charge. */
  #takeHandle(server: net.Server): void {
    const handle = this.#readMode === 'shared' ? listeningHandle(server) : undefined;
    if (handle === undefined) return;
    handle.onconnection = (error, accepted) => {
      if (error !== 0 || accepted === undefined) return;
      sharedSocket(accepted, (socket) => this.#accept({ socket, chains: this.#config.chains, peerId: '' }) ?? NOBODY);
    };
  }

  #createSecure(): tls.Server {
    const server = createTlsServer({
      meshTls: this.#runtime.meshTls,
      telemetry: this.#runtime.telemetry,
      chains: () => this.#config.chains,
      onSecured: (secured) => {
        const connection = this.#accept({ ...secured, client: this.#proxied.take(secured.socket) });
        if (connection === undefined) return;
        if (this.#readMode === 'shared') readAccepted(secured.socket, connection);
        else eventRead(secured.socket, connection);
      },
    });
    this.#secure = server;
    this.identityChanged();
    return server;
  }

  #accept(accepted: Accepted): Connection | undefined {
    const { direction } = this.#config;
    const counts = this.#runtime.telemetry;
    let connection: Connection | undefined;
    const onClose = (): void => {
      counts.connectionsOpen[direction]--;
      if (connection !== undefined) this.#connections.delete(connection);
    };
    connection = this.#begin(accepted, onClose);
    if (connection === undefined) {
      accepted.socket.destroy();
      return undefined;
    }
    counts.connectionsOpened[direction]++;
    counts.connectionsOpen[direction]++;
    this.#connections.add(connection);
    return connection;
  }

  #begin(accepted: Accepted, onClose: () => void): Connection | undefined {
    const { socket, chains, protocol = '', client } = accepted;
    const { opening, acceptProxyProtocol } = this.#config;
    if (acceptProxyProtocol !== undefined && client === undefined) {
      return this.#awaitHeader(accepted, acceptProxyProtocol, onClose);
    }
    const shared = { runtime: this.#runtime, socket, timeoutMs: opening?.timeoutMs ?? 0, onClose };
    if (opening?.look === 'http' && protocol === '' && chainsDiffer(chains)) {
      return new OpeningConnection({
        ...shared,
        look: HTTP_LOOK,
        serve: (spoken, gone) => this.#serve(accepted, chainForSpoken(chains, spoken), gone),
      });
    }
    if (opening?.look === 'server-name' && !hasTls(this.#config)) {
      return new OpeningConnection({
        ...shared,
        look: SERVER_NAME_LOOK,
        serve: (hello, gone) => this.#serve(accepted, this.#chainOf(socket, hello), gone),
      });
    }
    return this.#serve(accepted, secureOrFirst(chains, protocol), onClose);
  }

  /** Its peer speaks for somebody else, and says for whom before all else, TLS included. */
  #awaitHeader(accepted: Accepted, config: AcceptProxyProtocol, onClose: () => void): Connection | undefined {
    const { socket } = accepted;
    const { telemetry } = this.#runtime;
    const { remoteAddress } = socket;
    // It was reset before it was accepted: nobody is there to be refused.
    if (remoteAddress === undefined) return undefined;
    if (!isFromSource(config, remoteAddress)) {
      telemetry.proxyHeaderRefused('source');
      return undefined;
    }
    return new OpeningConnection({
      runtime: this.#runtime,
      socket,
      look: PROXY_HEADER_LOOK,
      timeoutMs: config.timeoutMs,
      onClose,
      serve: (found, gone) => {
        if (found.kind === 'refused') {
          telemetry.proxyHeaderRefused(found.reason);
          return undefined;
        }
        const { source, destination } = found.header;
        const client = source === undefined || destination === undefined ? clientOf(socket) : { source, destination };
        if (this.#secure === undefined) return this.#begin({ ...accepted, client }, gone);
        this.#proxied.keep(socket, client);
        return handOverToTls(socket, this.#secure, gone);
      },
    });
  }

  /** For TLS that is passed on; who asks for a name that is not served is told so (RFC 8446, section 6.2). */
  #chainOf(socket: net.Socket, hello: Hello): FilterChain | undefined {
    const { telemetry } = this.#runtime;
    if (hello.kind === 'broken') {
      telemetry.tlsRefused('server', 'handshake', hello.message);
      return undefined;
    }
    const [chain] = chainsFor(this.#config.chains, hello.serverName);
    if (chain === undefined) {
      telemetry.tlsRefused('server', 'unknown-server-name', `server name "${hello.serverName}": no route takes it`);
      socket.write(UNRECOGNIZED_NAME);
    }
    return chain;
  }

  #serve(accepted: Accepted, chain: FilterChain | undefined, onClose: () => void): Connection | undefined {
    if (chain === undefined) return undefined;
    if (chain.tcp === undefined) return this.#serveHttp(accepted, chain, onClose);
    const { direction } = this.#config;
    const { socket, client } = accepted;
    const cluster = 'cluster' in chain.tcp ? chain.tcp.cluster : pickTarget(chain.tcp.weighted, this.#runtime.random);
    return new TcpConnection({ runtime: this.#runtime, socket, direction, cluster, client, onClose });
  }

  #serveHttp(
    { socket, peerId, client }: Accepted,
    { tls: secure, http }: Extract<FilterChain, { readonly http: HttpConnectionConfig }>,
    closed: () => void,
  ): Connection {
    const { direction } = this.#config;
    const spoken = 'alpnProtocol' in socket ? socket.alpnProtocol : undefined;
    const from: Downstream = {
      direction,
      scheme: secure?.kind === 'certificate' ? 'https' : 'http',
      peerAddress: client?.source.address ?? (socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
      peerId,
      ownId: peerId === '' ? '' : this.#runtime.meshTls.spiffeId,
      trustForwarded: http.trustForwarded,
      listenerPort: this.port,
      carries: spoken === MESH_HTTP1_PROTOCOL ? 'http1' : undefined,
    };
    if (spoken !== 'h2' && spoken !== MESH_HTTP1_PROTOCOL) {
      return new ServerConnection(this.#runtime, socket, from, http, closed);
    }
    const connection = new Http2ServerConnection(this.#runtime, socket, from, http, closed);
    listenTo(socket, connection);
    return connection;
  }
}

/** A connection that came, with the chains that may take it. */
interface Accepted {
  readonly socket: net.Socket;
  readonly chains: readonly FilterChain[];
  /** What ALPN settled. */
  readonly protocol?: string;
  readonly peerId: string;
  /** Whom its peer speaks for. */
  readonly client?: Client | undefined;
}

/** A fatal alert of TLS: unrecognized_name. */
const UNRECOGNIZED_NAME = Buffer.from([21, 3, 3, 0, 2, 2, 112]);

function secureOrFirst(chains: readonly FilterChain[], protocol: string): FilterChain | undefined {
  return chains[0]?.tls === undefined ? chains[0] : chainFor(chains, protocol === '' ? HTTP_1 : protocol);
}

/** Whether it matters what is spoken. */
function chainsDiffer(chains: readonly FilterChain[]): boolean {
  return chainForSpoken(chains, 'bytes') !== chainForSpoken(chains, HTTP_1);
}

function listenTo(socket: net.Socket, connection: Http2ServerConnection): void {
  socket.setNoDelay(true);
  socket.on('drain', () => connection.socketDrained());
  socket.on('end', () => connection.socketEnded());
  socket.on('error', () => connection.close());
  socket.on('close', () => connection.close());
}

const NOBODY: ByteReceiver = { receive: () => undefined };

function hasTls(config: ListenerConfig): boolean {
  return config.chains.some((chain) => chain.tls !== undefined);
}
