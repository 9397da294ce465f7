import { ApiError } from '../../../api/meta/api-error.ts';
import type { Logger } from '../../../kit/log.ts';
import { StoreRefusedError } from '../../store/sqlite/refusal.ts';
import { NotLeaderError, OutcomeUnknownError, StoreClosedError, StoreUnreachableError } from '../../store/store.ts';

/** fastify's code of a body over its limit. */
const BODY_TOO_LARGE = 'FST_ERR_CTP_BODY_TOO_LARGE';

/** Any failure as the API says it. What is nobody's request's fault is logged here, and its cause not told. */
export function asApiError(error: unknown, log: Logger): ApiError {
  if (error instanceof ApiError) {
    if (error.code >= 500) log.warn({ error }, 'request failed');
    if (error.code === 401) log.info({ reason: error.cause }, 'credential refused');
    return error;
  }
  if (error instanceof StoreClosedError) return ApiError.unavailable('the API server is closing');
  if (error instanceof StoreRefusedError && error.reason === 'full') {
    log.error({ error }, 'request failed');
    return ApiError.unavailable("the control plane's disk is full: nothing was written; make room there and try again");
  }
  if (error instanceof NotLeaderError) {
    return ApiError.unavailable('this control plane no longer leads and has written nothing; try again', {
      cause: error,
    });
  }
  if (error instanceof StoreUnreachableError) {
    return ApiError.unavailable('the store cannot be reached, and nothing was done; try again', { cause: error });
  }
  // As kube-apiserver says when etcd did not answer in time: the request may have been carried out.
  if (error instanceof OutcomeUnknownError) return ApiError.timeout(error.message, 1);
  const { code, statusCode, message } = error as { code?: unknown; statusCode?: unknown; message?: unknown };
  if (code === BODY_TOO_LARGE) return ApiError.tooLarge('Request entity too large: limit is 3145728');
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return ApiError.badRequest(String(message));
  }
  log.error({ error }, 'request failed');
  return ApiError.internal('see the log of the control plane', { cause: error });
}
