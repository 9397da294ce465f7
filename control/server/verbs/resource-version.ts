import { ApiError } from '../../../api/meta/api-error.ts';
import { CompactedError, FutureRevisionError } from '../../store/store.ts';

/** The store's revision in a resourceVersion, which must be a whole number above 0. Throws ApiError 400. */
export function parseResourceVersion(text: string): number {
  const revision = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(revision)) {
    throw ApiError.badRequest(
      `resourceVersion: Invalid value: ${JSON.stringify(text)}: must be a resourceVersion that a list or an object had`,
    );
  }
  return revision;
}

/** Missing and "0" ask for no revision in particular. */
export function isAnyVersion(text: string | undefined): boolean {
  return text === undefined || text === '' || text === '0';
}

/** A revision that the store does not have, in the API's words; any other error as it is. */
export function revisionError(error: unknown, asked: string): unknown {
  if (error instanceof CompactedError) {
    return ApiError.expired(`too old resource version: ${asked} (${error.compacted})`);
  }
  // Whoever asks knew another store, or this one before it was restored: like too old, only a new list helps.
  if (error instanceof FutureRevisionError) {
    return ApiError.expired(
      `resource version ${asked} has not come yet, the present one is ${error.present}: list again`,
    );
  }
  return error;
}
