import type { ContainerKey, Runtime } from '../../runtime/runtime.ts';
import { channelMessage, ERROR, readChannelMessage, STDERR, STDIN, STDOUT } from './channel-message.ts';
import { exitStatus, failureStatus, refusalStatus } from './exec-status.ts';
import type { MessageSocket } from './message-socket.ts';
import type { StreamProtocol } from './stream-protocol.ts';
import type { StreamRequest } from './stream-request.ts';

export interface ProgramStreams {
  readonly runtime: Runtime;
  readonly socket: MessageSocket;
  readonly protocol: StreamProtocol;
  readonly key: ContainerKey;
}

/** Runs a command and carries its streams. When the client goes first, nothing of the command is left. */
export async function serveExec(
  { runtime, socket, protocol, key }: ProgramStreams,
  request: Extract<StreamRequest, { type: 'exec' }>,
): Promise<void> {
  const { command, stdin, stdout, stderr, terminal } = request;
  const early: Buffer[] = [];
  let take = (message: Buffer): void => void early.push(message);
  socket.onMessage((message) => take(message));
  const opened = await runtime.openExec(key, command, { stdin, stdout, stderr, ...(terminal ? { terminal } : {}) });
  if (!opened.ok) {
    return await finish(socket, failureStatus(`error executing command in container: ${opened.message}`));
  }
  const { session } = opened;
  take = (message) => {
    const read = readChannelMessage(message, protocol);
    if (read.type === 'resize') session.resize(read.size);
    else if (read.type === 'data' && read.channel === STDIN) socket.write(session.stdin, read.bytes);
    else if (read.type === 'close' && read.channel === STDIN) session.stdin?.end();
  };
  for (const message of early.splice(0)) take(message);
  let killed: Promise<void> | undefined;
  const clientGone = (): void => {
    killed = session.kill();
    // Awaited below; until then its failure is nobody's.
    killed.catch(() => undefined);
  };
  if (socket.gone.aborted) clientGone();
  socket.gone.addEventListener('abort', clientGone, { once: true });
  const [exitCode] = await Promise.all([
    session.exited,
    socket.sendAll(STDOUT, session.stdout),
    socket.sendAll(STDERR, session.stderr),
  ]);
  socket.gone.removeEventListener('abort', clientGone);
  await killed;
  await finish(socket, exitStatus(exitCode));
}

/** Carries what a container writes from now on, until it ends. */
export async function serveAttach({ runtime, socket, key }: ProgramStreams): Promise<void> {
  for await (const piece of runtime.logs(key, { follow: true, tailLines: 0, signal: socket.gone })) {
    await socket.send(channelMessage(STDOUT, piece));
  }
  await finish(socket, exitStatus(0));
}

/**
 * Says why there is nothing to stream. As the kubelet's failures it comes when the WebSocket is there: kubectl takes a refusal
 * of the handshake for a server of old, and tries another protocol.
 */
export async function serveRefusal(socket: MessageSocket, message: string): Promise<void> {
  await finish(socket, refusalStatus(message));
}

async function finish(socket: MessageSocket, status: object): Promise<void> {
  await socket.send(channelMessage(ERROR, Buffer.from(JSON.stringify(status))));
  await socket.close();
}
