// HTTP/2 as loads and upstreams need it: no more of a frame is read than its head, and header blocks are written by hand.

export const [DATA, HEADERS, RST_STREAM] = [0, 1, 3] as const;
const [SETTINGS, PING, WINDOW_UPDATE] = [4, 6, 8] as const;
export const [END_STREAM, END_HEADERS] = [1, 4] as const;
const ACK = 1;
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** A message of 100 bytes as gRPC frames it. */
export const MESSAGE = `\0\0\0\0${String.fromCharCode(100)}${'x'.repeat(100)}`;

/** latin1. */
export function frame(type: number, flags: number, streamId: number, payload: string): string {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return head.toString('latin1') + payload;
}

/** A field without Huffman code or index; `name` may be an index of the static table. */
export function field(name: string | number, value: string): string {
  const named = typeof name === 'number' ? String.fromCharCode(name) : `\0${String.fromCharCode(name.length)}${name}`;
  return `${named}${String.fromCharCode(value.length)}${value}`;
}

const u32 = (value: number): string =>
  String.fromCharCode((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);

export function windowUpdate(streamId: number, increment: number): string {
  return frame(WINDOW_UPDATE, 0, streamId, u32(increment));
}

const INITIAL_WINDOW_SIZE = '\0\x04';
const MAX_WINDOW_BYTES = 0x7fff_ffff;

/** Settings and a window for all that a round can bring, so that nothing has to be given back. */
export function largestWindows(): string {
  return (
    frame(SETTINGS, 0, 0, INITIAL_WINDOW_SIZE + u32(MAX_WINDOW_BYTES)) + windowUpdate(0, MAX_WINDOW_BYTES - 65_535)
  );
}

type OnFrame = (type: number, flags: number, streamId: number, length: number) => void;

/**
 * Calls back for each whole frame from `start` on, and returns the offset behind the last. What must be answered (SETTINGS,
 * PING) is written by itself.
 */
export function readFrames(bytes: Buffer, start: number, write: (text: string) => void, onFrame: OnFrame): number {
  let at = start;
  while (at + 9 <= bytes.length) {
    const length = bytes.readUIntBE(at, 3);
    if (at + 9 + length > bytes.length) break;
    const type = bytes[at + 3] ?? 0;
    const flags = bytes[at + 4] ?? 0;
    if (type === SETTINGS && (flags & ACK) === 0) write(frame(SETTINGS, ACK, 0, ''));
    else if (type === PING && (flags & ACK) === 0)
      write(frame(PING, ACK, 0, bytes.toString('latin1', at + 9, at + 17)));
    else onFrame(type, flags, bytes.readUInt32BE(at + 5), length);
    at += 9 + length;
  }
  return at;
}
