/* SPDY/3.1 frames (SPDY Protocol, Draft 3.1, 2.2), as far as port forwarding has them. */

export const SYN_STREAM = 1;
const SYN_REPLY = 2;
export const RST_STREAM = 3;
export const PING = 6;
export const GOAWAY = 7;
export const HEADERS = 8;

/** RST_STREAM's statuses. */
export const PROTOCOL_ERROR = 1;
export const REFUSED_STREAM = 3;

const CONTROL = 0x80_03;
const HEAD_BYTES = 8;
/** Of one frame; clients send 32 KiB at a time. */
const MAX_FRAME_BYTES = 1024 * 1024;

export type Frame =
  | { readonly type: 'data'; readonly stream: number; readonly isLast: boolean; readonly payload: Buffer }
  | { readonly type: 'control'; readonly kind: number; readonly isLast: boolean; readonly payload: Buffer };

/** Cuts bytes into frames, however they come. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are complete now. Throws when it is not SPDY/3. */
  push(bytes: Buffer): readonly Frame[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const frames: Frame[] = [];
    while (this.#rest.length >= HEAD_BYTES) {
      const length = this.#rest.readUInt32BE(4) & 0xff_ff_ff;
      if (length > MAX_FRAME_BYTES) throw new Error(`SPDY frame of ${length} bytes: at most ${MAX_FRAME_BYTES}`);
      if (this.#rest.length < HEAD_BYTES + length) break;
      frames.push(frameOf(this.#rest, this.#rest.subarray(HEAD_BYTES, HEAD_BYTES + length)));
      this.#rest = this.#rest.subarray(HEAD_BYTES + length);
    }
    return frames;
  }
}

function frameOf(head: Buffer, payload: Buffer): Frame {
  const isLast = ((head[4] ?? 0) & 1) === 1;
  if (((head[0] ?? 0) & 0x80) === 0) return { type: 'data', stream: head.readUInt32BE(0), isLast, payload };
  if (head.readUInt16BE(0) !== CONTROL) throw new Error(`SPDY version ${head.readUInt16BE(0) & 0x7f_ff}: 3 was wanted`);
  return { type: 'control', kind: head.readUInt16BE(2), isLast, payload };
}

export function dataFrame(stream: number, payload: Uint8Array, end?: 'last'): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(stream, 0);
  head.writeUInt32BE(payload.length, 4);
  if (end === 'last') head[4] = 1;
  return Buffer.concat([head, payload]);
}

export function replyFrame(stream: number, headers: Buffer): Buffer {
  return controlFrame(SYN_REPLY, Buffer.concat([word(stream), headers]));
}

export function resetFrame(stream: number, status: number): Buffer {
  return controlFrame(RST_STREAM, Buffer.concat([word(stream), word(status)]));
}

/** A ping is answered with itself. */
export function pingFrame(payload: Buffer): Buffer {
  return controlFrame(PING, payload);
}

function controlFrame(kind: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt16BE(CONTROL, 0);
  head.writeUInt16BE(kind, 2);
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
