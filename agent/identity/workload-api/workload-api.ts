import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { WorkloadApi } from '../../../certs/workload/spiffe-api/methods.ts';
import type { Clock } from '../../../kit/clock.ts';
import type { Logger } from '../../../kit/log.ts';
import { makeFolder } from '../../../kit/make-folder.ts';
import { RELAYED, type XdsRelay } from '../../grpc/xds-relay.ts';
import type { WorkloadIdentity } from '../workload-identity.ts';
import { type Caller, findCaller, type ProcessLineage } from './caller.ts';
import { type Answering, serveBundles, serveSvids } from './methods.ts';
import type { PeerReader } from './peer-credentials.ts';

export interface WorkloadApiOptions {
  readonly socketPath: string;
  readonly readPeer: PeerReader;
  readonly lineage: (pid: number) => ProcessLineage | undefined;
  /** The first processes of all that the agent runs, and whose they are. */
  readonly leaders: () => ReadonlyMap<number, WorkloadIdentity>;
  /** Settled when the processes that an earlier agent left are among the leaders. */
  readonly adopted: Promise<void>;
  /** ADS on the same socket, for gRPC's clients. */
  readonly relay: XdsRelay;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface WorkloadApiServer {
  close(): Promise<void>;
}

/** Connections of all processes together; each stands for a file descriptor of the agent. */
const MAX_CONNECTIONS = 4096;

/**
 * A connection of nobody's ends after so long: its process is told why, and comes again on a new one. gRPC's clients keep a connection for
 * as long as it lives, so a process that was there before it was known would stay nobody's.
 */
const NOBODYS_CONNECTION_MS = 1000;

/** Who is not known while pods are still taken over waits for it, at most so long. */
const ADOPTED_WITHIN_MS = 1000;

/**
 * The SPIFFE Workload API on a Unix socket that every process of the host may open: who calls, the kernel says
 * (docs/decisions/0013). Each identity has a gRPC server of its own, so a call cannot be answered with another's.
 */
export async function serveWorkloadApi(options: WorkloadApiOptions): Promise<WorkloadApiServer> {
  const { socketPath, relay, clock, log } = options;
  const servers = new Map<WorkloadIdentity | undefined, GrpcServer>();
  const sockets = new Set<Socket>();
  const serverOf = (identity: WorkloadIdentity | undefined): GrpcServer => {
    let server = servers.get(identity);
    if (server === undefined) {
      server = grpcServer({ identity, clock, log }, relay);
      servers.set(identity, server);
      identity?.closed.addEventListener('abort', () => {
        server?.close();
        servers.delete(identity);
      });
    }
    return server;
  };
  const welcome = async (socket: Socket): Promise<void> => {
    const caller = await callerOf(socket, options);
    if (socket.destroyed) return;
    if (!caller.ok) {
      log.warn({ why: caller.why }, 'the Workload API has no identity for the caller');
      const timer = clock.timer(NOBODYS_CONNECTION_MS, () => socket.destroy());
      socket.on('close', () => timer.stop());
    }
    serverOf(caller.ok ? caller.owner : undefined).take(socket);
  };
  const listener = createServer((socket) => {
    if (sockets.size >= MAX_CONNECTIONS) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', (error) => log.debug({ error }, 'a connection to the Workload API failed'));
    void welcome(socket);
  });
  makeFolder(dirname(socketPath), { mode: 0o700 });
  // An agent that was killed has left it. Only one agent runs in a folder at a time.
  rmSync(socketPath, { force: true });
  await listen(listener, socketPath);
  // Whoever can open the folder may ask: an image's own user as well.
  chmodSync(socketPath, 0o666);
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      for (const server of servers.values()) server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Decided once, of the process that the kernel names at the moment of connecting. */
async function callerOf(socket: Socket, options: WorkloadApiOptions): Promise<Caller<WorkloadIdentity>> {
  const { readPeer, leaders, lineage, adopted, clock } = options;
  const peer = readPeer(socket);
  if (peer === undefined) return { ok: false, why: 'the process that connected is not known any more' };
  try {
    let caller = findCaller(peer.pid, leaders(), lineage);
    if (!caller.ok) {
      await Promise.race([adopted, clock.sleep(ADOPTED_WITHIN_MS)]);
      caller = findCaller(peer.pid, leaders(), lineage);
    }
    // Only now: had the number gone to another process meanwhile, that one's lineage would have been read.
    return peer.stillIs() ? caller : { ok: false, why: `process ${peer.pid} has ended` };
  } finally {
    peer.close();
  }
}

interface GrpcServer {
  take(socket: Socket): void;
  close(): void;
}

function grpcServer(answering: Answering, relay: XdsRelay): GrpcServer {
  const server = new Server({ 'grpc.enable_channelz': 0 });
  // Methods that are not served, those of the JWT profile too, are answered UNIMPLEMENTED by gRPC itself.
  server.addService(WorkloadApi, {
    fetchX509Svid: (call: Parameters<typeof serveSvids>[0]) => serveSvids(call, answering),
    fetchX509Bundles: (call: Parameters<typeof serveBundles>[0]) => serveBundles(call, answering),
  });
  const relayed =
    (method: Parameters<XdsRelay>[0]) =>
    (call: Parameters<XdsRelay>[1]): void =>
      relay(method, call, answering.identity);
  server.addService(RELAYED, {
    streamAggregatedResources: relayed('streamAggregatedResources'),
    streamLoadStats: relayed('streamLoadStats'),
  });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  return {
    take: (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      injector.injectConnection(socket);
    },
    close: () => {
      injector.destroy();
      // Without channelz grpc-js 1.14 does not know its sessions, and would wait for them.
      for (const socket of sockets) socket.destroy();
      server.forceShutdown();
    },
  };
}

async function listen(server: NetServer, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Error(`Workload API socket "${path}": ${error.message}`, { cause: error })),
    );
    server.listen(path, resolve);
  });
}
