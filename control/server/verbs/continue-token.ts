import { ApiError } from '../../../api/meta/api-error.ts';

/**
 * Where a list goes on: after this key, at the revision that its first page showed; without one, at the present, where the
 * list is no longer of one moment.
 */
export interface ContinuePoint {
  readonly revision: number | undefined;
  readonly after: string;
}

/** As a revision: none in particular (handleCompactedErrorForPaging). */
const INCONSISTENT = -1;

/** Opaque to clients: base64url of JSON, as Kubernetes' (storage/continue.go). */
export function encodeContinue({ revision, after }: ContinuePoint): string {
  return Buffer.from(JSON.stringify({ v: 'tutti.dev/v1', rv: revision ?? INCONSISTENT, start: after })).toString(
    'base64url',
  );
}

/** Throws ApiError 400 for a token that is not ours or belongs to another list. */
export function decodeContinue(token: string, prefix: string): ContinuePoint {
  const { v, rv, start } = parse(token);
  if (v !== 'tutti.dev/v1' || !Number.isSafeInteger(rv) || typeof start !== 'string' || !start.startsWith(prefix)) {
    throw ApiError.badRequest('continue key is not valid: the token must be the one that this list has given');
  }
  return { revision: rv === INCONSISTENT ? undefined : (rv as number), after: start };
}

function parse(token: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
