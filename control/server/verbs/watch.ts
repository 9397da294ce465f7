import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { listObjects } from './list.ts';
import { isAnyVersion, parseResourceVersion, revisionError } from './resource-version.ts';
import { type Selection, type SelectionRequest, selectionOf } from './selection.ts';
import type { ObjectChange } from './stored-objects.ts';
import type { VerbContext } from './verb-context.ts';

export interface WatchRequest extends SelectionRequest {
  /** Where to go on. Missing or "0": from the present, with what there is as ADDED first. */
  readonly resourceVersion?: string | undefined;
  /** Overrides whether what there is comes first; when it is true, a bookmark tells the end of it. */
  readonly sendInitialEvents?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** A bookmark comes whenever the store tells of progress; who sends it on may leave some out. */
export type ObjectEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly endsInitialEvents: boolean };

/**
 * Every change of the selected objects, once, in order. One that comes to match is ADDED, one that ceases to is DELETED.
 * A request that cannot be carried out throws ApiError at once; history that does not reach back far enough throws 410
 * from the iteration.
 */
export function watchObjects<T extends KubeObject>(
  context: VerbContext,
  kind: Kind<T>,
  request: WatchRequest,
): AsyncGenerator<ObjectEvent<T>> {
  if (context.live.find(kind) !== undefined) throw ApiError.methodNotAllowed(kind, 'watch');
  const { resourceVersion } = request;
  const from = isAnyVersion(resourceVersion) ? undefined : parseResourceVersion(resourceVersion ?? '');
  return follow(context, kind, request, { selection: selectionOf(kind, request), from });
}

async function* follow<T extends KubeObject>(
  context: VerbContext,
  kind: Kind<T>,
  request: WatchRequest,
  { selection, from }: { readonly selection: Selection<T>; readonly from: number | undefined },
): AsyncGenerator<ObjectEvent<T>> {
  let after = from;
  if (request.sendInitialEvents ?? from === undefined) {
    const { items, ...list } = await listObjects(context, kind, { ...request, match: 'NotOlderThan' });
    for (const object of items) yield { type: 'ADDED', object };
    after = Number(list.resourceVersion);
    if (request.sendInitialEvents === true) {
      yield { type: 'BOOKMARK', resourceVersion: list.resourceVersion, endsInitialEvents: true };
    }
  }
  after ??= await context.objects.revision();
  try {
    const { namespace, signal } = request;
    for await (const batch of context.objects.watch(kind, namespace, { after, signal })) {
      for (const change of batch.changes) {
        const event = eventOf(change, selection);
        if (event !== undefined) yield event;
      }
      if (batch.changes.length === 0) {
        yield { type: 'BOOKMARK', resourceVersion: String(batch.revision), endsInitialEvents: false };
      }
    }
  } catch (error) {
    throw revisionError(error, String(after));
  }
}

function eventOf<T extends KubeObject>(
  { before, after, revision }: ObjectChange<T>,
  { everything, matches }: Selection<T>,
): ObjectEvent<T> | undefined {
  const object = after();
  const old = before();
  const shown = object !== undefined && (everything || matches(object));
  const wasShown = old !== undefined && (everything || matches(old));
  if (shown) return { type: wasShown ? 'MODIFIED' : 'ADDED', object };
  if (!wasShown) return undefined;
  // As it last was, at the revision of the change: a watch that goes on from it misses nothing (cacher.go).
  return { type: 'DELETED', object: { ...old, metadata: { ...old.metadata, resourceVersion: String(revision) } } };
}
