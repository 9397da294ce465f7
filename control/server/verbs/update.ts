import type { ObjectRef } from '../../../api/client/client.ts';
import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { ApiError, hasCode, STALE_WRITE } from '../../../api/meta/api-error.ts';
import { fieldInvalid } from '../../../api/meta/field-error.ts';
import type { ObjectMeta } from '../../../api/meta/object-meta.ts';
import { isObject, type JsonObject } from '../../../api/patch/json.ts';
import { timestamp } from '../../../kit/clock.ts';
import { decodeObject } from './decode-object.ts';
import { isFinished } from './deletion.ts';
import { type AppliedOwners, type Door, managedFieldsAfter, withManagedFields } from './field-ownership.ts';
import { withGeneration } from './generation.ts';
import { mutate, type Outcome } from './mutate.ts';
import { statusMetadata, updatedMetadata, withStatusOf } from './server-fields.ts';
import { requireValid } from './validate.ts';
import type { VerbContext, WriteRequest } from './verb-context.ts';

export interface UpdateRequest extends WriteRequest {
  readonly ref: ObjectRef;
  readonly input: unknown;
  /** `status` writes the status and nothing else; without it everything but the status. */
  readonly subresource?: 'status' | undefined;
  /** What the client has sent, where the document is the stored one with that put in. */
  readonly patched?: unknown;
  /** The subresource that the write came through, though it writes the object itself. */
  readonly through?: Door;
  readonly applied?: AppliedOwners;
}

/** Replaces the object. Throws ApiError 409 when the client's resourceVersion is not the stored one. */
export async function updateObject<T extends KubeObject>(
  context: VerbContext,
  kind: Kind<T>,
  request: UpdateRequest,
): Promise<T> {
  const { ref, dryRun } = request;
  const decide = (current: T): Promise<Outcome<T>> => replaceWith(context, kind, current, request);
  return (await mutate(context, { kind, ref, decide, dryRun })).object;
}

/** What an update with this document does to the stored object. */
export async function replaceWith<T extends KubeObject>(
  context: VerbContext,
  kind: Kind<T>,
  current: T,
  request: UpdateRequest,
): Promise<Outcome<T>> {
  const given =
    request.patched === undefined ? decodeUpdate(kind, current, request) : decodePatched(kind, current, request);
  requireSameObject(kind, given.metadata, current.metadata, request);
  const metadata =
    request.subresource === 'status'
      ? statusMetadata(kind, given.metadata, current.metadata)
      : updatedMetadata(given.metadata, current.metadata);
  const bare = { ...given, metadata };
  const owners =
    request.applied ??
    managedFieldsAfter({
      kind,
      before: current,
      after: bare,
      given: given.metadata.managedFields,
      manager: request.fieldManager,
      door: request.subresource ?? request.through,
      now: timestamp(context.clock.now()),
    });
  const merged = withManagedFields(bare, owners.managedFields);
  const admitted = await context.admission.admit({ kind, object: merged, old: current, user: request.user });
  const next = withGeneration(kind, admitted, current);
  requireValid(kind, next, current);
  if (request.subresource === undefined) for (const warning of kind.warnings(next)) request.warn(warning);
  return isFinished(kind, next) ? { type: 'remove', last: next } : { type: 'put', object: next };
}

function decodeUpdate<T extends KubeObject>(kind: Kind<T>, current: T, request: UpdateRequest): T {
  if (request.subresource === undefined) {
    return decodeObject(kind, withStatusOf(kind, withoutStoredOwners(request.input, current), current), request);
  }
  const { input } = request;
  if (!isObject(input)) throw ApiError.badRequest(`the body is not a JSON object: a ${kind.kind} was wanted`);
  const stored = current as T & JsonObject;
  const { apiVersion, kind: name, metadata } = input;
  const given = { ...stored, apiVersion, kind: name, ...(isObject(metadata) ? { metadata } : {}) };
  return decodeObject(kind, withoutStoredOwners({ ...given, status: input['status'] }, current), request);
}

/** A patch may be sound and make something of the object that is none of its kind (patchMechanism of handlers/patch.go). */
function decodePatched<T extends KubeObject>(kind: Kind<T>, current: T, request: UpdateRequest): T {
  try {
    return decodeUpdate(kind, current, request);
  } catch (error) {
    if (!hasCode(error, 400)) throw error;
    throw ApiError.invalid({ group: '', kind: '' }, '', [fieldInvalid('patch', request.patched, error.message)]);
  }
}

/** The document without the managedFields that the object has anyway: they need no reading. */
function withoutStoredOwners(input: unknown, { metadata: { managedFields } }: KubeObject): unknown {
  if (!isObject(input) || managedFields === undefined) return input;
  const { metadata } = input;
  if (!isObject(metadata) || (metadata['managedFields'] as unknown) !== managedFields) return input;
  const { managedFields: _, ...rest } = metadata;
  return { ...input, metadata: rest };
}

/** Kinds of these groups take a PUT without a resourceVersion (AllowUnconditionalUpdate of their strategies). */
const UNCONDITIONAL_GROUPS = ['', 'apps', 'discovery.k8s.io'];

function requireSameObject<T extends KubeObject>(
  kind: Kind<T>,
  given: Partial<ObjectMeta>,
  current: ObjectMeta,
  { ref, patched }: UpdateRequest,
): void {
  if (given.name && given.name !== ref.name) {
    throw ApiError.badRequest(
      `the name of the object (${given.name}) does not match the name on the URL (${ref.name})`,
    );
  }
  if (kind.namespaced && given.namespace && given.namespace !== ref.namespace) {
    throw ApiError.badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (given.uid && given.uid !== current.uid) {
    if (patched !== undefined)
      throw ApiError.invalid(kind, ref.name, [fieldInvalid('metadata.uid', given.uid, 'field is immutable')]);
    const why = `Precondition failed: UID in precondition: ${given.uid}, UID in object meta: ${current.uid}`;
    throw ApiError.conflict(kind, ref.name, why);
  }
  if (given.resourceVersion) {
    if (given.resourceVersion !== current.resourceVersion) throw ApiError.conflict(kind, ref.name, STALE_WRITE);
  } else if (!UNCONDITIONAL_GROUPS.includes(kind.group)) {
    const missing = fieldInvalid('metadata.resourceVersion', 0, 'must be specified for an update');
    throw ApiError.invalid({ group: kind.group, kind: kind.plural }, ref.name, [missing]);
  }
}
