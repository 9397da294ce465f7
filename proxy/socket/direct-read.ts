import type net from 'node:net';
import type { ByteReceiver } from './shared-read.ts';
import { handleWith, streamWrap } from './stream-wrap.ts';

interface Handle {
  onread: (this: Handle, from: unknown) => unknown;
}

/**
 * What a handle reads into `buffer` goes to its receiver at once, not by way of the stream, which looks at its time-outs, its own buffers
 * and who listens first. Ends and errors are the stream's, as before. The handle is no public API, so it is looked for, never assumed:
 * where it is not what we know, the stream goes on as it was told (`onread`).
 */
export function readDirectly(socket: net.Socket, buffer: Buffer, receiver: ByteReceiver): void {
  const handle = handleWith<Handle>(socket, 'onread');
  if (handle === undefined || streamWrap === undefined) return;
  const { streamBaseState: state, kReadBytesOrError: at } = streamWrap;
  const { onread } = handle;
  handle.onread = (from) => {
    const count = state[at] ?? 0;
    if (count <= 0 || socket.destroyed) return onread.call(handle, from);
    receiver.receive(buffer, count);
    return undefined;
  };
}
