import type { ObjectRef } from '../../../api/client/client.ts';
import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { ApiError, STALE_WRITE } from '../../../api/meta/api-error.ts';
import { claimsOf, isClaim } from '../admission/claims.ts';
import { alreadyClaimed } from './create.ts';
import { isUnchanged } from './generation.ts';
import { objectKey } from './object-key.ts';
import type { VerbContext } from './verb-context.ts';

/** What to do with the stored object: write this in its place, take it away (`last` is how it is shown), or leave it. */
export type Outcome<T> =
  | { readonly type: 'put'; readonly object: T }
  | { readonly type: 'remove'; readonly last: T }
  | { readonly type: 'keep' };

export interface Mutation<T extends KubeObject> {
  readonly kind: Kind<T>;
  readonly ref: ObjectRef;
  /** Called with what is stored now, and again when somebody was faster. Throws ApiError to refuse. */
  readonly decide: (current: T) => Promise<Outcome<T>> | Outcome<T>;
  readonly dryRun: boolean;
}

export interface Mutated<T> {
  readonly object: T;
  readonly removed: boolean;
  /** Of the removal. */
  readonly revision?: number;
}

/** Rounds before a busy object is given up (patch.go retries 5 times; a claim lost to another costs a round too). */
const MAX_TRIES = 10;

/**
 * Reads, decides and writes only if nothing has changed in between; decides anew when it has. Whoever must not be retried
 * checks the version itself when deciding. Throws ApiError 404 when the object is not there.
 */
export async function mutate<T extends KubeObject>(context: VerbContext, mutation: Mutation<T>): Promise<Mutated<T>> {
  const { kind, ref, decide, dryRun } = mutation;
  const { objects } = context;
  if (context.live.find(kind) !== undefined) throw ApiError.methodNotAllowed(kind, 'write');
  const key = objectKey(kind, ref);
  for (let tries = 1; ; tries++) {
    const current = await objects.get(kind, ref);
    if (current === undefined) throw ApiError.notFound(kind, ref.name);
    const outcome = await decide(current);
    if (outcome.type === 'keep') return { object: current, removed: false };
    if (outcome.type === 'put' && isUnchanged(outcome.object, current)) return { object: current, removed: false };
    if (dryRun) {
      return outcome.type === 'put'
        ? { object: outcome.object, removed: false }
        : { object: outcome.last, removed: true };
    }
    const held = claimsOf(current);
    const wanted = outcome.type === 'put' ? claimsOf(outcome.object) : [];
    const value = outcome.type === 'put' ? objects.encode(kind, key, outcome.object) : '';
    const taken = wanted.filter((claim) => !held.includes(claim));
    const result = await objects.transact({
      compare: [
        { key, revision: Number(current.metadata.resourceVersion) },
        ...taken.map((claim) => ({ key: claim, revision: 0 })),
      ],
      put: [...(outcome.type === 'put' ? [{ key, value }] : []), ...taken.map((claim) => ({ key: claim, value: key }))],
      delete: [...(outcome.type === 'remove' ? [key] : []), ...held.filter((claim) => !wanted.includes(claim))],
    });
    if (result.ok) {
      if (outcome.type === 'remove') return { object: outcome.last, removed: true, revision: result.revision };
      return { object: objects.decode(kind, { key, value, revision: result.revision }), removed: false };
    }
    if (tries < MAX_TRIES) continue;
    if (isClaim(result.conflict.key)) throw alreadyClaimed(kind, ref.name, result.conflict.key);
    throw ApiError.conflict(kind, ref.name, STALE_WRITE);
  }
}
