import type { List } from '../../../api/client/client.ts';
import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { CompactedError } from '../../store/store.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import { keyPrefix } from './object-key.ts';
import { isAnyVersion, parseResourceVersion, revisionError } from './resource-version.ts';
import { type SelectionRequest, selectionOf } from './selection.ts';
import type { VerbContext } from './verb-context.ts';

export interface ListRequest extends SelectionRequest {
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  /** Exact: as it was at resourceVersion. Anything else shows the present, which is never older. */
  readonly match?: 'Exact' | 'NotOlderThan' | undefined;
}

export interface ObjectList<T> extends List<T> {
  /** Only where nothing but the namespace selects: else nobody has counted. */
  readonly remainingItemCount?: number;
}

interface Start {
  readonly revision?: number | undefined;
  readonly after?: string;
}

export async function listObjects<T extends KubeObject>(
  context: VerbContext,
  kind: Kind<T>,
  request: ListRequest,
): Promise<ObjectList<T>> {
  const selection = selectionOf(kind, request);
  const source = context.live.find(kind);
  if (source !== undefined) {
    const items = (await source.list(request.namespace)).filter(selection.matches);
    return { items, resourceVersion: String(await context.objects.revision()) };
  }
  const start = await startOf(context, kind, request);
  const items: T[] = [];
  let { revision, after } = start;
  for (;;) {
    const wanted = request.limit === undefined ? undefined : request.limit - items.length;
    const page = await pageOf(context, kind, request, { revision, after, limit: wanted });
    revision = page.revision;
    after = page.last ?? after;
    for (const object of page.objects) if (selection.matches(object)) items.push(object);
    const full = request.limit !== undefined && items.length >= request.limit;
    if (page.more && !full) continue;
    const list = { items, resourceVersion: String(revision) };
    if (!page.more) return list;
    const token = encodeContinue({ revision, after: after ?? '' });
    return { ...list, continue: token, ...(selection.everything ? { remainingItemCount: page.remaining } : {}) };
  }
}

async function startOf<T extends KubeObject>(
  { objects }: VerbContext,
  kind: Kind<T>,
  request: ListRequest,
): Promise<Start> {
  if (request.continue !== undefined && request.continue !== '') {
    return decodeContinue(request.continue, keyPrefix(kind, request.namespace));
  }
  const { resourceVersion } = request;
  if (resourceVersion === undefined || isAnyVersion(resourceVersion)) return {};
  const revision = parseResourceVersion(resourceVersion);
  const present = await objects.revision();
  if (revision > present) throw tooLarge(revision, present);
  // With a limit and no match, a version means exactly that one, as it did before there was a match.
  const exact = request.match === 'Exact' || (request.match === undefined && request.limit !== undefined);
  return exact ? { revision } : {};
}

async function pageOf<T extends KubeObject>(
  { objects }: VerbContext,
  kind: Kind<T>,
  request: ListRequest,
  { revision, after, limit }: { revision: number | undefined; after: string | undefined; limit: number | undefined },
) {
  try {
    return await objects.page(kind, request.namespace, {
      ...(revision === undefined ? {} : { revision }),
      ...(after === undefined ? {} : { after }),
      ...(limit === undefined ? {} : { limit }),
    });
  } catch (error) {
    if (error instanceof CompactedError && request.continue) {
      throw expiredContinue(encodeContinue({ revision: undefined, after: after ?? '' }));
    }
    throw revisionError(error, String(revision));
  }
}

/** The list can be begun anew, or gone on with by another token, over what has changed meanwhile (storage/etcd3/errors.go). */
function expiredContinue(token: string): ApiError {
  const { status } = ApiError.expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  return new ApiError({ ...status, metadata: { continue: token } });
}

/** Clients tell it by its cause and list again without a version (storage.NewTooLargeResourceVersionError). */
function tooLarge(asked: number, present: number): ApiError {
  const message = `Too large resource version: ${asked}, current: ${present}`;
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `Timeout: ${message}`,
    reason: 'Timeout',
    details: {
      retryAfterSeconds: 1,
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    },
    code: 504,
  });
}
