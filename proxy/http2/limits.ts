/** What one HTTP/2 connection may cost us. Sources: Envoy's best_practices/edge and protocol.proto, nghttp2, RFC 9113. */

/** Envoy's advice for the edge. RFC 9113 section 6.5.2 recommends no fewer than 100. */
export const MAX_STREAMS = 100;
/** All bytes that a connection's streams together may send before we have passed them on: Envoy's advice for the edge. */
export const CONNECTION_WINDOW_BYTES = 1024 * 1024;
/** SETTINGS_HEADER_TABLE_SIZE's own default (section 6.5.2). */
export const MAX_TABLE_BYTES = 4096;
/** A header block over all its CONTINUATION frames, as it is on the wire (CVE-2024-27983). */
export const MAX_BLOCK_BYTES = 64 * 1024;
/** Frames that a block may be cut into: at the smallest largest frame it fits into 5. */
export const MAX_BLOCK_FRAMES = 32;

/** RST_STREAM a connection may make us see or send: nghttp2's stream reset limit (burst 1000, 33 a second). CVE-2023-44487, CVE-2025-8671. */
export const RESET_BURST = 1000;
export const RESETS_PER_SECOND = 33;
/**
 * Frames that carry nothing (PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA and CONTINUATION, what comes for closed streams and
 * what we do not know) beside those that real work brings with it: Envoy's limit of 1,000 control frames, and a rate that no
 * keep-alive reaches.
 */
export const IDLE_FRAME_BURST = 1000;
export const IDLE_FRAMES_PER_SECOND = 100;
/** What a request, or a DATA frame with something in it, earns: Envoy allows 10 WINDOW_UPDATE for each DATA frame. */
export const IDLE_FRAMES_EARNED = 10;
/** Answers to control frames that wait in a socket whose peer does not read: Envoy's max_outbound_control_frames. */
export const MAX_WAITING_CONTROL_FRAMES = 1000;
/** Streams that we reset or refused, whose last frames may still be on their way. */
export const MAX_REMEMBERED_RESETS = 256;
