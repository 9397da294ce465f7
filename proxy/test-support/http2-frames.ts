import { encodeField } from '../http2/hpack/encoder.ts';

/** Frames as tests write and read them, right or wrong. */

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, streamId: number, payload: string | Buffer = ''): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, bytes]);
}

export function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (at + 9 <= bytes.length) {
    const length = bytes.readUIntBE(at, 3);
    const [type = 0, flags = 0] = bytes.subarray(at + 3, at + 5);
    const payload = bytes.subarray(at + 9, at + 9 + length);
    frames.push({ type, flags, streamId: bytes.readUInt32BE(at + 5), payload });
    at += 9 + length;
  }
  return frames;
}

export function u32(value: number): string {
  return String.fromCharCode((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

export function setting(id: number, value: number): string {
  return String.fromCharCode(id >>> 8, id & 255) + u32(value);
}

/** A request's header block; `more` comes behind the pseudo-header fields. */
export function requestBlock(more: readonly (readonly [string, string])[] = [], method = 'GET'): string {
  const pseudo = [
    [':method', method],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'a'],
  ] as const;
  return [...pseudo, ...more].map(([name, value]) => encodeField(name, value)).join('');
}
