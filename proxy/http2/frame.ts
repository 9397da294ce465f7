/** RFC 9113 section 6: what a frame's first nine octets say. */
export const FRAME_HEADER_BYTES = 9;

export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const HAS_PRIORITY = 0x20;

/** Section 7. */
export const NO_ERROR = 0;
export const PROTOCOL_ERROR = 1;
export const INTERNAL_ERROR = 2;
export const FLOW_CONTROL_ERROR = 3;
export const STREAM_CLOSED = 5;
export const FRAME_SIZE_ERROR = 6;
export const REFUSED_STREAM = 7;
export const CANCEL = 8;
export const COMPRESSION_ERROR = 9;
export const ENHANCE_YOUR_CALM = 11;

/** By code, for metrics and logs. */
const ERROR_NAMES = [
  'no-error',
  'protocol-error',
  'internal-error',
  'flow-control-error',
  'settings-timeout',
  'stream-closed',
  'frame-size-error',
  'refused-stream',
  'cancel',
  'compression-error',
  'connect-error',
  'enhance-your-calm',
] as const;

export function errorName(code: number): string {
  return ERROR_NAMES[code] ?? 'unknown-error';
}

/** Section 6.5.2. */
export const ENABLE_PUSH = 2;
export const MAX_CONCURRENT_STREAMS = 3;
export const INITIAL_WINDOW_SIZE = 4;
export const MAX_FRAME_SIZE = 5;
export const MAX_HEADER_LIST_SIZE = 6;
/** RFC 8441. */
export const ENABLE_CONNECT_PROTOCOL = 8;

export const DEFAULT_WINDOW_BYTES = 65_535;
export const MAX_WINDOW_BYTES = 2 ** 31 - 1;
export const DEFAULT_MAX_FRAME_BYTES = 16_384;
export const MAX_STREAM_ID = 2 ** 31 - 1;

/** What a client says first (section 3.4). */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

// Frames leave as latin1 text: that joins with what else is written in the turn, and a frame's payload is text already where it
// is a header block.

export function frameHeader(length: number, type: number, flags: number, streamId: number): string {
  return String.fromCharCode(
    (length >>> 16) & 255,
    (length >>> 8) & 255,
    length & 255,
    type,
    flags,
    (streamId >>> 24) & 127,
    (streamId >>> 16) & 255,
    (streamId >>> 8) & 255,
    streamId & 255,
  );
}

function uint32(value: number): string {
  return String.fromCharCode((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

export function resetFrame(streamId: number, code: number): string {
  return frameHeader(4, RST_STREAM, 0, streamId) + uint32(code);
}

export function windowFrame(streamId: number, increment: number): string {
  return frameHeader(4, WINDOW_UPDATE, 0, streamId) + uint32(increment);
}

export function goAwayFrame(lastStreamId: number, code: number, debug: string): string {
  return frameHeader(8 + debug.length, GOAWAY, 0, 0) + uint32(lastStreamId) + uint32(code) + debug;
}

export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): string {
  let payload = '';
  for (const [id, value] of settings) payload += String.fromCharCode(id >>> 8, id & 255) + uint32(value);
  return frameHeader(payload.length, SETTINGS, 0, 0) + payload;
}

export const SETTINGS_ACK = frameHeader(0, SETTINGS, ACK, 0);

export function uint32At(from: Buffer, at: number): number {
  return (from[at] ?? 0) * 2 ** 24 + (((from[at + 1] ?? 0) << 16) | ((from[at + 2] ?? 0) << 8) | (from[at + 3] ?? 0));
}

/** Where the first bit is reserved. */
export function uint31At(from: Buffer, at: number): number {
  return uint32At(from, at) % 2 ** 31;
}
