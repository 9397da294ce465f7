import net from 'node:net';
import { readDirectly } from './direct-read.ts';
import { handleWith } from './stream-wrap.ts';

/** What a socket's bytes go to. `from` is valid during the call only: the next socket reads into the same memory. */
export interface ByteReceiver {
  receive(from: Buffer, count: number): void;
}

// One buffer for every socket of the process: a read's callback runs before the next read begins.
const sharedBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** Options that make a socket read into the shared buffer and skip the stream machinery (`onread`, node:net). */
export function sharedRead(receiver: ByteReceiver): net.OnReadOpts {
  return { buffer: sharedBuffer, callback: givenTo(receiver) };
}

function givenTo(receiver: ByteReceiver): (count: number, from: Uint8Array) => boolean {
  return (count, from) => {
    receiver.receive(from as Buffer, count);
    return true;
  };
}

/** For a socket that was told {@link sharedRead}, once it is connected: until then its handle may be replaced by another. */
export function readSharedDirectly(socket: net.Socket, receiver: ByteReceiver): void {
  readDirectly(socket, sharedBuffer, receiver);
}

interface BufferedHandle {
  useUserBuffer(buffer: Buffer): void;
}

/**
 * As {@link sharedRead}, for a socket that node has made and that nobody has read from: a TLS server's. Without it each read is a chunk of
 * a stream, with memory of its own and a tick to look for more. What node's sockets know of their buffer is no public API, so it is looked
 * for, never assumed: where it is not there, it is 'data' events.
 */
export function readAccepted(socket: net.Socket, receiver: ByteReceiver): void {
  const handle = handleWith<BufferedHandle>(socket, 'useUserBuffer');
  const symbols = Object.getOwnPropertySymbols(socket);
  const buffer = symbols.find(({ description }) => description === 'kBuffer');
  const callback = symbols.find(({ description }) => description === 'kBufferCb');
  if (handle === undefined || buffer === undefined || callback === undefined || socket.readableLength > 0) {
    eventRead(socket, receiver);
    return;
  }
  Object.assign(socket, { [buffer]: sharedBuffer, [callback]: givenTo(receiver) });
  handle.useUserBuffer(sharedBuffer);
  readDirectly(socket, sharedBuffer, receiver);
}

/** The same contract over 'data' events: about 5 µs more a read. */
export function eventRead(socket: net.Socket, receiver: ByteReceiver): void {
  socket.on('data', (data: Buffer) => receiver.receive(data, data.length));
}

interface ListeningHandle {
  onconnection: ((error: number, handle: unknown) => void) | null;
}

/**
 * The listening handle, if it is what we know: an accepted socket can be given the shared buffer only when it is made by
 * us, in the handle's connection callback. That is not public API, so it is looked for, never assumed.
 */
export function listeningHandle(server: net.Server): ListeningHandle | undefined {
  const handle = (server as unknown as { readonly _handle?: Partial<ListeningHandle> | null })._handle;
  return typeof handle?.onconnection === 'function' ? (handle as ListeningHandle) : undefined;
}

/** A socket over an accepted handle that reads into the shared buffer; `receiver` is asked once the socket is made. */
export function sharedSocket(handle: unknown, receiverOf: (socket: net.Socket) => ByteReceiver): net.Socket {
  let receiver: ByteReceiver | undefined;
  const onread = sharedRead({ receive: (from, count) => receiver?.receive(from, count) });
  // No public type: `handle` and `onread` are what net's own accept path passes.
  const options = { handle, onread, allowHalfOpen: true, readable: true, writable: true };
  const socket = new net.Socket(options as net.SocketConstructorOpts);
  receiver = receiverOf(socket);
  readDirectly(socket, sharedBuffer, receiver);
  return socket;
}
