import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Pods } from '../pod/pods.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type LogRequest, readLogRequest } from './log-request.ts';
import { type RestartablePlace, restartOf, restartProxy } from './restart-proxy.ts';
import { Stats } from './stats.ts';
import { refuse, StreamsServer } from './streams/streams-server.ts';

/** The agent's certificate, and whose clients it believes. */
export interface ServingCredentials {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly clientCaPem: string;
}

export interface AgentServerOptions {
  readonly address: string;
  /** 0 for the system's choice. */
  readonly port: number;
  readonly nodeName: string;
  readonly serving: ServingCredentials;
  readonly trustDomain: string;
  readonly pods: Pods;
  readonly runtime: Runtime;
  readonly ingress: RestartablePlace['ingress'];
  readonly clock: Clock;
  readonly log: Logger;
}

export interface AgentServer {
  readonly port: number;
  /** New connections get this certificate and are verified by this CA; open ones go on. */
  setServing(serving: ServingCredentials): void;
  close(): Promise<void>;
}

/** Logs, stats and streams of what runs here, over HTTPS, for the control plane alone (and administrators with its CA's certificate). */
export async function startAgentServer(options: AgentServerOptions): Promise<AgentServer> {
  const { serving, address, port, log } = options;
  const stats = new Stats(options);
  const closing = new AbortController();
  const server = createServer(
    { ...secureContext(serving), requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      answer(request, response, { ...options, stats, closing: closing.signal }).catch((error: unknown) => {
        log.warn({ error, url: request.url }, 'a request to the agent failed');
        response.destroy();
      });
    },
  );
  const streams = new StreamsServer({ ...options, closing: closing.signal });
  server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    const { trustDomain } = options;
    if (mayAsk(request.socket as TLSSocket, trustDomain)) streams.upgrade(request, connection, head);
    else refuse(connection, { code: 403, message: 'forbidden: not the control plane' });
  });
  await listen(server, address, port);
  return {
    port: (server.address() as AddressInfo).port,
    setServing: (next) => server.setSecureContext(secureContext(next)),
    close: async () => {
      closing.abort();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function secureContext({ certificatePem, privateKeyPem, clientCaPem }: ServingCredentials): SecureContextOptions {
  return { cert: certificatePem, key: privateKeyPem, ca: clientCaPem, minVersion: 'TLSv1.3' };
}

interface Answering extends AgentServerOptions {
  readonly stats: Stats;
  readonly closing: AbortSignal;
}

async function answer(request: IncomingMessage, response: ServerResponse, answering: Answering): Promise<void> {
  const { clock, stats, trustDomain } = answering;
  if (!mayAsk(request.socket as TLSSocket, trustDomain)) return say(response, 403, 'forbidden: not the control plane');
  const url = new URL(request.url ?? '/', 'https://agent');
  const restart = restartOf(url.pathname);
  if (request.method !== (restart === undefined ? 'GET' : 'POST'))
    return say(response, 405, `only ${restart === undefined ? 'GET' : 'POST'}`);
  if (restart !== undefined) {
    const done = await restartProxy(restart, answering);
    if (!done.ok) return say(response, done.code, done.message);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ tookMs: done.tookMs }));
    return;
  }
  const log = readLogRequest(url, clock.now());
  if (log !== undefined) return log.ok ? sendLog(log.request, response, answering) : say(response, 400, log.message);
  switch (url.pathname) {
    case '/healthz':
      return say(response, 200, 'ok');
    case '/stats/summary':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(stats.summary()));
      return;
    default:
      return say(response, 404, `not found: ${url.pathname}`);
  }
}

/**
 * Workloads have certificates of the same CA: they may not read each other's logs. The control plane proves to be it by its
 * SPIFFE id, an administrator by a group.
 */
function mayAsk(socket: TLSSocket, trustDomain: string): boolean {
  const { subject, subjectaltname = '' } = socket.getPeerCertificate();
  if (subjectaltname.split(', ').includes(`URI:spiffe://${trustDomain}/tutti/control`)) return true;
  const groups = (subject as { O?: string | string[] } | undefined)?.O ?? [];
  return [groups].flat().includes('system:masters');
}

async function sendLog(
  wanted: LogRequest,
  response: ServerResponse,
  { pods, runtime, closing }: Answering,
): Promise<void> {
  const { namespace, pod, container, previous, options } = wanted;
  const worker = pods.find(namespace, pod);
  if (worker === undefined) return say(response, 404, `pod "${pod}" not found`);
  const run = worker.run(container, previous ? 1 : 0);
  if (run === undefined) {
    const what = previous ? `previous terminated container "${container}"` : `container "${container}"`;
    const why = previous ? 'not found' : 'is waiting to start';
    return say(response, 400, `${what} in pod "${pod}" ${why}`);
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.writeHead(200, { 'content-type': 'text/plain' });
  // A follower of a quiet container hears at once that it is connected.
  response.flushHeaders();
  const signal = AbortSignal.any([gone.signal, closing]);
  for await (const piece of runtime.logs(run.key, { ...options, signal })) {
    if (signal.aborted) break;
    if (!response.write(piece)) await once(response, 'drain', { signal }).catch(() => undefined);
  }
  response.end();
}

function say(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'content-type': 'text/plain' });
  response.end(`${text}\n`);
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  const failed = once(server, 'error').then(([error]) => {
    throw error as Error;
  });
  server.listen({ host, port });
  await Promise.race([once(server, 'listening'), failed]);
  failed.catch(() => undefined);
}
