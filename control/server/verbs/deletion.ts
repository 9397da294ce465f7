import type { DeleteOptions } from '../../../api/client/client.ts';
import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import type { Namespace } from '../../../api/kinds/namespace.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { ObjectMeta } from '../../../api/meta/object-meta.ts';

/**
 * remove: nothing holds it; `last` is what its deleter sees. mark: it stays, with this as its new form. pending: it is on its way
 * out already.
 */
export type Deletion<T> =
  | { readonly type: 'remove'; readonly last: T }
  | { readonly type: 'mark'; readonly object: T }
  | { readonly type: 'pending' };

type Options = Pick<DeleteOptions, 'gracePeriodSeconds' | 'propagationPolicy'>;

/** The collector of garbage takes these out when it has done its part. */
const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

/** What a DELETE does to an object: Store.Delete of k8s.io/apiserver with BeforeDelete and the strategies of kinds. */
export function decideDeletion<T extends KubeObject>(
  kind: Kind<T>,
  object: T,
  options: Options,
  nowMs: number,
): Deletion<T> {
  const grace = decideGrace(kind, object, options.gracePeriodSeconds, nowMs);
  if (grace === 'pending') return { type: 'pending' };
  const finalizers = finalizersFor(object.metadata, options.propagationPolicy);
  const { finalizers: _, ...rest } = object.metadata;
  const metadata = { ...rest, ...(grace === 'none' ? {} : grace), ...(finalizers.length > 0 ? { finalizers } : {}) };
  const next = { ...object, metadata };
  if (grace !== 'none') return { type: 'mark', object: next };
  if (isHeld(kind, next)) return { type: 'mark', object: markedNow(kind, next, nowMs) };
  return { type: 'remove', last: isPod(kind) ? markedNow(kind, next, nowMs) : next };
}

/** Whether an object that is being deleted may go now that its update has taken away what held it. */
export function isFinished<T extends KubeObject>(kind: Kind<T>, object: T): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && !isHeld(kind, object);
}

export function checkPreconditions(
  kind: Pick<Kind, 'group' | 'kind'>,
  { name, uid, resourceVersion }: ObjectMeta,
  wanted: DeleteOptions['preconditions'] = {},
): void {
  if (wanted.uid !== undefined && wanted.uid !== uid) {
    const why = `the UID in the precondition (${wanted.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw ApiError.conflict({ group: kind.group, plural: kind.kind }, name, why);
  }
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${wanted.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw ApiError.conflict({ group: kind.group, plural: kind.kind }, name, why);
  }
}

interface GraceMarks {
  readonly deletionTimestamp: string;
  readonly deletionGracePeriodSeconds: number;
  readonly generation?: number;
}

/** Only Pods end gracefully: the agent of their node deletes them with grace 0 when they have. */
function decideGrace<T extends KubeObject>(
  kind: Kind<T>,
  object: T,
  asked: number | undefined,
  nowMs: number,
): GraceMarks | 'none' | 'pending' {
  if (!isPod(kind)) return 'none';
  const { spec, status, metadata } = object as unknown as Pod;
  const wanted = asked !== undefined && asked < 0 ? 1 : asked;
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, generation = 0 } = metadata;
  if (deletionTimestamp !== undefined) {
    if (deletionGracePeriodSeconds === 0) return 'none';
    if (wanted === undefined || wanted >= deletionGracePeriodSeconds) return 'pending';
    const since = Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
    // Grace 0 says: it has ended. Nothing is left to wait for.
    if (wanted === 0) return 'none';
    return { deletionTimestamp: seconds(since + wanted * 1000), deletionGracePeriodSeconds: wanted };
  }
  const ended = status.phase === 'Succeeded' || status.phase === 'Failed';
  const grace = !spec.nodeName || ended ? 0 : (wanted ?? spec.terminationGracePeriodSeconds);
  if (grace === 0) return 'none';
  return {
    deletionTimestamp: seconds(nowMs + grace * 1000),
    deletionGracePeriodSeconds: grace,
    generation: generation + 1,
  };
}

/** deletionFinalizersForGarbageCollection: an explicit policy wins over what was asked before. */
function finalizersFor({ finalizers = [] }: ObjectMeta, policy: Options['propagationPolicy']): string[] {
  if (policy === undefined) return [...finalizers];
  const others = finalizers.filter((name) => name !== ORPHAN && name !== FOREGROUND);
  switch (policy) {
    case 'Orphan':
      return [...others, ORPHAN];
    case 'Foreground':
      return [...others, FOREGROUND];
    case 'Background':
      return others;
    default:
      return policy satisfies never;
  }
}

function isHeld<T extends KubeObject>(kind: Kind<T>, object: T): boolean {
  if ((object.metadata.finalizers ?? []).length > 0) return true;
  return isNamespace(kind) && ((object as unknown as Namespace).spec.finalizers ?? []).length > 0;
}

function markedNow<T extends KubeObject>(kind: Kind<T>, object: T, nowMs: number): T {
  const { deletionTimestamp, generation } = object.metadata;
  if (deletionTimestamp !== undefined && (object.metadata.deletionGracePeriodSeconds ?? 0) === 0) return object;
  const metadata = {
    ...object.metadata,
    deletionTimestamp: deletionTimestamp ?? seconds(nowMs),
    // A Namespace's own registry marks it, without a grace.
    ...(isNamespace(kind) ? {} : { deletionGracePeriodSeconds: 0 }),
    ...(generation === undefined || deletionTimestamp !== undefined ? {} : { generation: generation + 1 }),
  };
  const marked = { ...object, metadata };
  if (!isNamespace(kind)) return marked;
  const { status } = object as unknown as Namespace;
  return { ...marked, status: { ...status, phase: 'Terminating' } };
}

function isNamespace({ group, kind }: Pick<Kind, 'group' | 'kind'>): boolean {
  return group === '' && kind === 'Namespace';
}

function isPod({ group, kind }: Pick<Kind, 'group' | 'kind'>): boolean {
  return group === '' && kind === 'Pod';
}

function seconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
