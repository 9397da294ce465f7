import type net from 'node:net';

/** What is written to it goes nowhere, by way of its stream or past it (socket/direct-write.ts). */
export function silence(socket: net.Socket, count: (text: string) => boolean): void {
  // Node's own, and in no types: direct-write.ts writes to it.
  const { _handle: handle } = socket as unknown as { readonly _handle: object };
  Object.assign(socket, { write: count });
  Object.assign(handle, { writeLatin1String: (_request: object, text: string) => (count(text) ? 0 : -1) });
}
