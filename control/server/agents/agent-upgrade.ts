import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as send } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Node } from '../../../api/kinds/node.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { Clock } from '../../../kit/clock.ts';
import type { UpgradeCall } from '../http/upgrade.ts';
import { type AgentAccess, ANSWER_TIMEOUT_MS, connectionTo, refused } from './agent-request.ts';

/** What makes a handshake (RFC 6455, 4.1). Nothing else of the client's is passed on, least of all who it is. */
const HANDSHAKE = ['connection', 'upgrade', 'sec-websocket-key', 'sec-websocket-version', 'sec-websocket-protocol'];

/** For what is under way to the client when the agent has said all. */
const LINGER_MS = 5000;

export interface Relay extends AgentAccess, Pick<UpgradeCall, 'request' | 'connection' | 'head'> {
  readonly clock: Clock;
  /** Cuts the relay. */
  readonly signal: AbortSignal;
}

/**
 * Passes the client's WebSocket handshake to the agent of a node and, when the agent agrees, bytes both ways, each as fast as
 * the other side takes them. Resolves when the relay runs. Throws ApiError as long as nothing has been said to the client.
 */
export async function relayUpgrade(node: Node, path: string, relay: Relay): Promise<void> {
  const { request, connection, head, signal } = relay;
  const headers = Object.fromEntries(
    HANDSHAKE.flatMap((name) => [[name, request.headers[name]]]).filter(([, is]) => is),
  );
  const asking = send({ ...connectionTo(node, relay), path, headers });
  const stop = (): void => void asking.destroy(new Error('no longer wanted'));
  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const giveUp = (): void => void asking.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`));
  connection.once('close', stop);
  signal.addEventListener('abort', stop, { once: true });
  timeout.addEventListener('abort', giveUp, { once: true });
  asking.on('error', () => undefined);
  if (signal.aborted || connection.destroyed) stop();
  asking.end();
  try {
    const answered = once(asking, 'response').then(async ([answer]) => {
      throw await refused(answer as IncomingMessage);
    });
    const [answer, agent, first] = (await Promise.race([once(asking, 'upgrade'), answered])) as [
      IncomingMessage,
      Socket,
      Buffer,
    ];
    connection.write(handshakeText(answer));
    if (first.length > 0) connection.write(first);
    if (head.length > 0) agent.write(head);
    join(connection, agent, relay);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw ApiError.unavailable(`agent of node "${node.metadata.name}": ${why}`, { cause: error });
  } finally {
    connection.off('close', stop);
    signal.removeEventListener('abort', stop);
    timeout.removeEventListener('abort', giveUp);
  }
}

function handshakeText({ headers }: IncomingMessage): string {
  const lines = Object.entries(headers).filter(([name]) => name.startsWith('sec-websocket-'));
  const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  return `${[...head, ...lines.map(([name, value]) => `${name}: ${String(value)}`)].join('\r\n')}\r\n\r\n`;
}

function join(client: Duplex, agent: Socket, { signal, clock }: Relay): void {
  for (const socket of [client as Socket, agent]) {
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
  }
  const cut = (): void => {
    agent.destroy();
    client.destroy();
  };
  signal.addEventListener('abort', cut, { once: true });
  if (signal.aborted) cut();
  agent.on('error', () => undefined);
  client.pipe(agent);
  agent.pipe(client);
  client.once('close', () => {
    signal.removeEventListener('abort', cut);
    agent.destroy();
  });
  agent.once('close', () => {
    if (client.destroyed) return;
    client.end();
    const linger = clock.timer(LINGER_MS, () => client.destroy());
    client.once('close', () => linger.stop());
  });
}
