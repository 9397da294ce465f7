import {
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  ENABLE_CONNECT_PROTOCOL,
  ENABLE_PUSH,
  FLOW_CONTROL_ERROR,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  MAX_FRAME_SIZE,
  MAX_WINDOW_BYTES,
  NO_ERROR,
  PROTOCOL_ERROR,
  uint32At,
} from './frame.ts';

/** What the peer said of itself that we act on (RFC 9113 section 6.5.2). */
export class PeerSettings {
  /** At least 100 until it says otherwise, as the RFC recommends. */
  maxStreams = 100;
  initialWindow = DEFAULT_WINDOW_BYTES;
  maxFrameBytes = DEFAULT_MAX_FRAME_BYTES;
  /** RFC 8441. */
  takesExtendedConnect = false;

  /** Takes a SETTINGS frame's payload; returns NO_ERROR, or the error code of a value that may not be. */
  take(from: Buffer, start: number, end: number, role: 'server' | 'client'): number {
    for (let at = start; at < end; at += 6) {
      const code = this.#set(((from[at] ?? 0) << 8) | (from[at + 1] ?? 0), uint32At(from, at + 2), role);
      if (code !== NO_ERROR) return code;
    }
    return NO_ERROR;
  }

  #set(id: number, value: number, role: 'server' | 'client'): number {
    switch (id) {
      case ENABLE_PUSH:
        // A server has no use for it.
        return value > 1 || (value === 1 && role === 'client') ? PROTOCOL_ERROR : NO_ERROR;
      case MAX_CONCURRENT_STREAMS:
        this.maxStreams = value;
        return NO_ERROR;
      case INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW_BYTES) return FLOW_CONTROL_ERROR;
        this.initialWindow = value;
        return NO_ERROR;
      case MAX_FRAME_SIZE:
        if (value < DEFAULT_MAX_FRAME_BYTES || value >= 1 << 24) return PROTOCOL_ERROR;
        this.maxFrameBytes = value;
        return NO_ERROR;
      case ENABLE_CONNECT_PROTOCOL:
        // RFC 8441 section 3: 0 or 1, and never back.
        if (value > 1 || (value === 0 && this.takesExtendedConnect)) return PROTOCOL_ERROR;
        this.takesExtendedConnect = value === 1;
        return NO_ERROR;
      default:
        // Others are ignored; our encoder has no table whose size could be told.
        return NO_ERROR;
    }
  }
}
