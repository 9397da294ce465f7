/**
 * Why a message was refused before anything was done with it. One object per cause, so that a refusal allocates nothing
 * and a test can list them all.
 */
export interface Rejection {
  /** What a request is answered with; a response that is refused becomes 502 whatever this says. */
  readonly status: number;
  /** For the access log, the metric's label and the answer's body. */
  readonly cause: string;
}

const reject = (status: number, cause: string): Rejection => ({ status, cause });

export const BAD_METHOD = reject(400, 'bad-method');
export const BAD_TARGET = reject(400, 'bad-target');
export const BAD_START_LINE = reject(400, 'bad-start-line');
export const BAD_VERSION = reject(505, 'unsupported-version');
export const BAD_FIELD_NAME = reject(400, 'bad-field-name');
export const MALFORMED_FIELDS = reject(400, 'malformed-http2-fields');
export const BAD_FIELD_VALUE = reject(400, 'bad-field-value');
export const BARE_LINE_FEED = reject(400, 'bare-line-feed');
export const FOLDED_FIELD = reject(400, 'folded-field');
export const NOT_HTTP = reject(400, 'not-http');
export const MISSING_HOST = reject(400, 'missing-host');
export const DUPLICATE_HOST = reject(400, 'duplicate-host');
export const BAD_HOST = reject(400, 'bad-host');
export const BAD_CONTENT_LENGTH = reject(400, 'bad-content-length');
export const DUPLICATE_CONTENT_LENGTH = reject(400, 'duplicate-content-length');
export const AMBIGUOUS_LENGTH = reject(400, 'content-length-and-transfer-encoding');
export const BAD_TRANSFER_ENCODING = reject(400, 'bad-transfer-encoding');
export const OLD_TRANSFER_ENCODING = reject(400, 'transfer-encoding-in-http-1.0');
export const BAD_CONNECTION = reject(400, 'bad-connection');
export const BAD_CHUNK = reject(400, 'bad-chunk');
export const BAD_PATH = reject(400, 'bad-path');
export const UNKNOWN_EXPECTATION = reject(417, 'unknown-expectation');
export const TARGET_TOO_LONG = reject(414, 'request-line-too-long');
export const HEAD_TOO_LARGE = reject(431, 'head-too-large');
export const TOO_MANY_FIELDS = reject(431, 'too-many-fields');
export const CONNECT_REFUSED = reject(405, 'connect-not-offered-here');
/** RFC 9110 section 9.3.6: what comes behind it is the tunnel's, and a length of it would mean something else to everyone. */
export const CONNECT_WITH_BODY = reject(400, 'connect-with-body');
/** RFC 8441, RFC 9220: an extended CONNECT for something else than a WebSocket. */
export const UNKNOWN_PROTOCOL = reject(501, 'unknown-connect-protocol');
export const HEAD_TIMEOUT = reject(408, 'request-head-timeout');
export const BODY_TIMEOUT = reject(408, 'request-body-timeout');

/** A response only. */
export const TOO_MANY_INTERIM = reject(502, 'too-many-interim-responses');
/** A success that is no switch, where the client would take it for one. */
export const REFUSED_SWITCH = reject(502, 'refused-protocol-switch');
/** RFC 8441 section 3: the peer's SETTINGS do not let us ask it for a WebSocket. Envoy's answer too is 502 with UPE. */
export const NO_EXTENDED_CONNECT = reject(502, 'extended-connect-not-offered');
export const UNASKED_SWITCH = reject(502, 'unasked-protocol-switch');
