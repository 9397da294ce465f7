import type { TerminalSize } from '../../runtime/runtime.ts';
import { CHANNELS_V5, type StreamProtocol } from './stream-protocol.ts';

/** The channels of a command (k8s.io/apimachinery/pkg/util/remotecommand/constants.go). */
export const STDIN = 0;
export const STDOUT = 1;
export const STDERR = 2;
/** Ends with one Status: how it went. */
export const ERROR = 3;
const RESIZE = 4;
const CLOSE = 255;

/** Largest side of a terminal (winsize has 16 bits). */
const MAX_SIDE = 65_535;

export type ClientMessage =
  | { readonly type: 'data'; readonly channel: number; readonly bytes: Buffer }
  | { readonly type: 'resize'; readonly size: TerminalSize }
  | { readonly type: 'close'; readonly channel: number }
  /** Means nothing; Kubernetes passes over such too. */
  | { readonly type: 'none' };

/** Reads a message of the client. Never throws. */
export function readChannelMessage(message: Buffer, protocol: StreamProtocol): ClientMessage {
  const channel = message[0];
  if (channel === undefined) return { type: 'none' };
  if (channel === CLOSE) {
    const closed = message[1];
    return protocol === CHANNELS_V5 && closed !== undefined ? { type: 'close', channel: closed } : { type: 'none' };
  }
  const bytes = message.subarray(1);
  if (channel !== RESIZE) return { type: 'data', channel, bytes };
  const size = readSize(bytes.toString('utf8'));
  return size === undefined ? { type: 'none' } : { type: 'resize', size };
}

/** `{"Width":80,"Height":24}` */
function readSize(text: string): TerminalSize | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { Width: columns, Height: rows } = parsed as { readonly Width?: unknown; readonly Height?: unknown };
  return isSide(columns) && isSide(rows) ? { columns, rows } : undefined;
}

function isSide(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= MAX_SIDE;
}

export function channelMessage(channel: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(channel), bytes]);
}
