import { ApiError } from '../meta/api-error.ts';
import type { Status, StatusReason } from '../meta/status.ts';

/** The error that an answer of 400 and more stands for: the server's own Status, or one made from the bare code. */
export function errorOfAnswer(code: number, body: string): ApiError {
  const status = parseStatus(body);
  if (status !== undefined) return new ApiError(status);
  const text = body.trim().slice(0, 500);
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: text === '' ? `the server answered ${code} without a reason` : text,
    reason: REASONS[code] ?? 'InternalError',
    code,
  });
}

export function isStatus(value: unknown): value is Status {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'Status';
}

/**
 * A connection that could not be made or broke, as an ApiError 503 that says what to do. Anything else that was thrown
 * comes back as it is.
 */
export function errorOfConnection(error: unknown, server: string): unknown {
  const code = codeOf(error);
  const advice = code === undefined ? undefined : ADVICE.find(([codes]) => codes.includes(code))?.[1];
  if (advice === undefined && (code === undefined || !/^(E[A-Z]+|UND_ERR_|ERR_)/.test(code))) return error;
  const message = `API server ${server}: ${advice ?? (error instanceof Error ? error.message : String(error))}`;
  return ApiError.unavailable(message, { cause: error });
}

/** The connection ended before the answer began: a server closes one that was idle for long while a request is on its way to it. */
export function wasCut(error: unknown): boolean {
  return CUT.includes(codeOf(error) ?? '');
}

/** The server took the request and then said nothing in time. */
export function isSilence(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT';
}

/**
 * True when the same question may be answered a little later: the server is busy, starting, or was not reached. False for what
 * stays as it is: a refusal (401, 403, 404 …), and a certificate that does not hold.
 */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  if (error.code !== 429 && error.code < 500) return false;
  return !LASTING.test(codeOf(error) ?? '');
}

/** No connection came about: nobody listens there, or there is no such place. */
export function isUnreached(error: unknown): boolean {
  return UNREACHED.includes(codeOf(error) ?? '');
}

const UNREACHED: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH'];

/** Codes of OpenSSL's verification and of TLS that was refused: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const LASTING = /^(CERT_|ERR_TLS_CERT|ERR_SSL_|EPROTO$|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)/;

const CUT: readonly string[] = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'];

const REASONS: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const ADVICE: readonly (readonly [codes: readonly string[], advice: string])[] = [
  [['ECONNREFUSED'], 'refused the connection; is it running? Start it with: tutti up'],
  [['ENOTFOUND', 'EAI_AGAIN'], "its name does not resolve; check 'server' in the kubeconfig"],
  [['EHOSTUNREACH', 'ENETUNREACH'], "cannot be reached from here; check 'server' in the kubeconfig"],
  [
    ['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT'],
    "did not accept the connection in time; check 'server' in the kubeconfig and the network",
  ],
  [['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'], 'did not answer in time; its log may say why'],
  [CUT, 'closed the connection; it may be restarting'],
  [
    [
      'SELF_SIGNED_CERT_IN_CHAIN',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'CERT_SIGNATURE_FAILURE',
    ],
    "its certificate is not from the kubeconfig's CA; the kubeconfig may belong to another cluster or an older installation",
  ],
  [['CERT_HAS_EXPIRED'], 'its certificate has expired; restart the control plane to renew it'],
  [['CERT_NOT_YET_VALID'], "its certificate is not valid yet; compare the machines' clocks"],
  [['ERR_TLS_CERT_ALTNAME_INVALID'], "its certificate is for another name than 'server' in the kubeconfig"],
];

/** The system's or undici's code, from the error or what caused it. */
function codeOf(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code, errors } = at as Error & { code?: unknown; errors?: unknown };
    if (typeof code === 'string') return code;
    // Happy eyeballs: one error for each address that was tried.
    if (Array.isArray(errors) && errors[0] instanceof Error) return codeOf(errors[0]);
  }
  return undefined;
}

function parseStatus(body: string): Status | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return isStatus(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
