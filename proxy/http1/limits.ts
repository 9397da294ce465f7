/** What one message may cost us. Envoy's edge defaults where it has them (http_connection_manager.proto, best_practices/edge). */

/** Request or response head, start line included: Envoy's max_request_headers_kb. */
export const MAX_HEAD_BYTES = 60 * 1024;
/** At a sidecar's inbound door: what the proxy before it has added must not make a message too large that was taken there. */
export const MAX_HEAD_BYTES_INSIDE = MAX_HEAD_BYTES + 4 * 1024;
/** RFC 9112 section 3 asks for at least 8000 octets. */
export const MAX_REQUEST_LINE_BYTES = 16 * 1024;
/** Envoy's max_headers_count. */
export const MAX_HEADERS = 100;
/** As MAX_HEAD_BYTES_INSIDE; no head of any kind has more. */
export const MAX_HEADERS_INSIDE = MAX_HEADERS + 12;
/** A name of DNS has 253. It is said again in X-Forwarded-Host. */
export const MAX_AUTHORITY_BYTES = 1024;
export const MAX_METHOD_BYTES = 32;
/** A chunk extension says nothing to us; CVE-2024-22019 is what happens without this limit. */
export const MAX_CHUNK_EXTENSION_BYTES = 4 * 1024;
export const MAX_TRAILER_BYTES = 8 * 1024;
/** 1xx answers before the final one. */
export const MAX_INTERIM_RESPONSES = 16;
/** Pipelined bytes that wait while a request is being answered; then the client's socket is paused. */
export const MAX_PIPELINED_BYTES = 64 * 1024;
/** A request body is kept for a retry up to here (linkerd's limit). */
export const MAX_REPLAY_BYTES = 64 * 1024;
/** After an early answer, this much of a request's body is read and thrown away before the connection is given up. */
export const MAX_DISCARDED_BYTES = 256 * 1024;
/** A piece up to here joins the head in one write; larger ones are written as bytes of their own. */
export const JOINED_PIECE_BYTES = 8 * 1024;
