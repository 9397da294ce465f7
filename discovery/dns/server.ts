import { createSocket, type SocketOptions, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6, type Socket, type Server as TcpServer } from 'node:net';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { Forwarder } from './forward.ts';
import { Responder } from './responder.ts';
import { serveConnection } from './tcp-connection.ts';
import { type Batch, openBatch } from './udp/batch.ts';
import { UdpServer } from './udp/serve.ts';
import type { Upstream } from './upstream.ts';
import type { Zone } from './zone.ts';

const MAX_TCP_CONNECTIONS = 150;
/** A port that is free for UDP may be taken for TCP: with port 0 another is tried. */
const MAX_PORT_TRIES = 20;

export interface DnsOptions {
  readonly address: string;
  /** 0: one of the system's choice, the same for UDP and TCP. */
  readonly port: number;
  /** Called for every question: gives the newest zone. While it gives the same object, encoded answers are used again. */
  readonly zone: () => Zone;
  /** Servers for names that the zone does not speak for. Without any, those are refused. */
  readonly forwardTo: readonly Upstream[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** How datagrams are read many at a time, where that can be: the system's own calls unless told. */
  readonly openBatch?: () => Batch | undefined;
}

export interface DnsServer {
  readonly port: number;
  /** How datagrams come and go: many with one system call, or one by one. */
  readonly datagrams: 'batched' | 'single';
  close(): Promise<void>;
}

/** Answers DNS over UDP and TCP. Throws what the system says when the address cannot be had (EADDRINUSE and such). */
export async function startDns(options: DnsOptions): Promise<DnsServer> {
  const { address, clock, log } = options;
  const { udp, tcp, port } = await bindBoth(address, options.port);
  // A question that we would ask ourselves would never end.
  const upstreams = options.forwardTo.filter((upstream) => upstream.address !== address || upstream.port !== port);
  const forwarder = new Forwarder({ upstreams, clock, log });
  const responder = new Responder({ zone: options.zone, forwarder, random: options.random, log });

  const udpServer = new UdpServer({ udp, responder, batch: (options.openBatch ?? openBatch)(), log });
  const datagrams = udpServer.batched ? 'batched' : 'single';
  log.debug({ address, port, datagrams }, 'DNS answers');
  const connections = new Set<Socket>();
  tcp.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    serveConnection(socket, responder, clock);
  });
  tcp.on('error', (error) => log.error({ error }, 'DNS over TCP'));

  return {
    port,
    datagrams,
    close: async () => {
      forwarder.close();
      const closed = [udpServer.close(), once(tcp, 'close')];
      tcp.close();
      for (const socket of connections) socket.destroy();
      await Promise.all(closed);
    },
  };
}

interface Bound {
  readonly udp: UdpSocket;
  readonly tcp: TcpServer;
  readonly port: number;
}

async function bindBoth(address: string, wanted: number): Promise<Bound> {
  for (let tries = 1; ; tries++) {
    const udp = await bindUdp(address, wanted);
    const { port } = udp.address();
    try {
      return { udp, tcp: await bindTcp(address, port), port };
    } catch (error) {
      udp.close();
      const retry = wanted === 0 && (error as NodeJS.ErrnoException).code === 'EADDRINUSE' && tries < MAX_PORT_TRIES;
      if (!retry) throw error;
    }
  }
}

async function bindUdp(address: string, port: number): Promise<UdpSocket> {
  const udp = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', lookup: addressAsIs });
  try {
    // The event may come before bind returns: nothing is looked up.
    const listening = once(udp, 'listening');
    udp.bind(port, address);
    await listening;
    return udp;
  } catch (error) {
    udp.close();
    throw error;
  }
}

/** Only addresses are ever given: the resolver's way to them costs a tick and a regular expression for each answer. */
const addressAsIs: NonNullable<SocketOptions['lookup']> = (address, _options, callback) =>
  callback(null, address, address.includes(':') ? 6 : 4);

async function bindTcp(address: string, port: number): Promise<TcpServer> {
  // An asker may close its side after the question and still wait for the answer.
  const tcp = createServer({ allowHalfOpen: true });
  tcp.maxConnections = MAX_TCP_CONNECTIONS;
  tcp.listen(port, address);
  await once(tcp, 'listening');
  return tcp;
}
