import type { Socket } from 'node:net';
import type { PodWorker } from '../../pod/pod-worker.ts';
import { appPort, connectApp } from './app-port.ts';
import { type ClientMessage, channelMessage, readChannelMessage } from './channel-message.ts';
import type { MessageSocket } from './message-socket.ts';
import type { StreamProtocol } from './stream-protocol.ts';

/** More ports do not fit into a byte of channels, nor into sense. */
export const MAX_PORTS = 32;

/**
 * Forwards one connection for each port over two channels: 2n carries it, 2n+1 its failure, both begin with the port as two
 * bytes, low first (pkg/kubelet cri/streaming/portforward/websocket.go). Ends when all connections have.
 */
export async function servePortChannels(
  worker: PodWorker,
  ports: readonly number[],
  { socket, protocol }: { readonly socket: MessageSocket; readonly protocol: StreamProtocol },
): Promise<void> {
  const lanes = ports.map((port, at) => openLane(worker, port, at * 2, socket));
  socket.onMessage((message) => {
    const read = readChannelMessage(message, protocol);
    if (read.type !== 'data' && read.type !== 'close') return;
    const lane = read.channel % 2 === 0 ? lanes[read.channel / 2] : undefined;
    if (lane !== undefined) void give(lane.app, read, socket);
  });
  await Promise.all(lanes.map(({ ended }) => ended));
  await socket.close();
}

interface Lane {
  readonly app: Promise<Socket | undefined>;
  readonly ended: Promise<void>;
}

/** What comes before there is a connection waits for it, in its order. */
async function give(
  app: Lane['app'],
  message: Extract<ClientMessage, { type: 'data' | 'close' }>,
  socket: MessageSocket,
): Promise<void> {
  const connection = await app;
  if (message.type === 'data') socket.write(connection, message.bytes);
  else connection?.end();
}

function openLane(worker: PodWorker, port: number, channel: number, socket: MessageSocket): Lane {
  const app = openApp(worker, port, channel, socket);
  return { app, ended: carry(app, channel, socket) };
}

async function openApp(worker: PodWorker, port: number, channel: number, socket: MessageSocket) {
  const begin = Buffer.of(port & 0xff, port >> 8);
  await socket.send(channelMessage(channel, begin));
  await socket.send(channelMessage(channel + 1, begin));
  const real = appPort(worker, port);
  try {
    if (!real.ok) throw new Error(real.message);
    const connection = await connectApp(real.port, socket.gone);
    connection.on('error', () => undefined);
    return connection;
  } catch (error) {
    const why = `error forwarding port ${port} to pod ${worker.pod.metadata.name}: ${(error as Error).message}`;
    await socket.send(channelMessage(channel + 1, Buffer.from(why)));
    return undefined;
  }
}

async function carry(app: Lane['app'], channel: number, socket: MessageSocket): Promise<void> {
  const connection = await app;
  if (connection === undefined) return;
  const cut = (): void => void connection.destroy();
  socket.gone.addEventListener('abort', cut, { once: true });
  if (socket.gone.aborted) cut();
  await socket.sendAll(channel, connection);
  socket.gone.removeEventListener('abort', cut);
  connection.destroy();
}
