import type { ObjectRef } from '../../../api/client/client.ts';
import { apiVersionOf, type Kind, type KubeObject } from '../../../api/kinds/kind.ts';
import { ApiError, hasCode } from '../../../api/meta/api-error.ts';
import { refuseHostileKeys } from '../../../api/patch/hostile-keys.ts';
import { isObject, type Json, type JsonObject } from '../../../api/patch/json.ts';
import { type Applied, applyConfiguration } from '../../../api/patch/managed-fields/apply-configuration.ts';
import { applyConflict } from '../../../api/patch/managed-fields/apply-conflict.ts';
import { UnkeyedItemError } from '../../../api/patch/managed-fields/list-items.ts';
import { NO_OWNERS, ownersOf, sameOwners } from '../../../api/patch/managed-fields/managers.ts';
import { typedSchemaOf } from '../../../api/patch/managed-fields/typed-schema.ts';
import { undeclaredFields } from '../../../api/patch/managed-fields/undeclared-fields.ts';
import { LAST_APPLIED, withLastApplied } from '../../../api/patch/three-way-patch.ts';
import { timestamp } from '../../../kit/clock.ts';
import { createObject } from './create.ts';
import {
  type Door,
  entriesOf,
  filterOf,
  managedFieldsFrom,
  managerOf,
  withManagedFields,
  withoutManagedFields,
} from './field-ownership.ts';
import { isUnchanged } from './generation.ts';
import { mutate, type Outcome } from './mutate.ts';
import { replaceWith } from './update.ts';
import type { VerbContext, WriteRequest } from './verb-context.ts';

export interface ApplyRequest extends WriteRequest {
  readonly ref: ObjectRef;
  readonly config: unknown;
  readonly door: Door;
  /** Take from other managers what the configuration changes of theirs. */
  readonly force: boolean;
  /** Throws ApiError 403 unless this user may create the object, should it not be there. */
  readonly requireCreate: () => void;
}

export interface AppliedObject<T> {
  readonly object: T;
  readonly created: boolean;
}

/** Rounds of finding the object gone and then there again. */
const MAX_TRIES = 5;

/**
 * Server-side apply: lays the configuration over the object, creates it when it is not there, and records what its
 * manager now owns. Throws ApiError 409 with a cause per field when it would change what others own.
 */
export async function applyObject<T extends KubeObject>(
  context: VerbContext,
  kind: Kind<T>,
  request: ApplyRequest,
): Promise<AppliedObject<T>> {
  const config = readConfiguration(kind, request);
  const decide = (current: T): Promise<Outcome<T>> => applyTo(context, kind, current, { ...request, config });
  const { ref, dryRun, door } = request;
  for (let tries = 1; ; tries++) {
    try {
      return { object: (await mutate(context, { kind, ref, decide, dryRun })).object, created: false };
    } catch (error) {
      if (door !== undefined || !hasCode(error, 404)) throw error;
    }
    try {
      return { object: await createApplied(context, kind, { ...request, config }), created: true };
    } catch (error) {
      if (tries >= MAX_TRIES || !(hasCode(error, 409) && error.reason === 'AlreadyExists')) throw error;
    }
  }
}

interface ReadRequest extends ApplyRequest {
  readonly config: JsonObject;
}

async function applyTo<T extends KubeObject>(
  context: VerbContext,
  kind: Kind<T>,
  current: T,
  request: ReadRequest,
): Promise<Outcome<T>> {
  const { config, door, fieldManager } = request;
  const stored = current.metadata.managedFields;
  const owners = ownersOf(entriesOf(stored));
  const applied = merged(kind, config, () =>
    applyConfiguration({
      live: withoutManagedFields(current),
      config,
      schema: typedSchemaOf(kind.schema),
      owners,
      by: managerOf(kind, fieldManager, 'Apply', door),
      filter: filterOf(kind, door),
      conflicts: request.force ? 'take' : 'refuse',
      now: timestamp(context.clock.now()),
    }),
  );
  const outcome = await replaceWith(context, kind, current, {
    ...request,
    subresource: door === 'status' ? door : undefined,
    input: withAnnotation(applied.object, config, fieldManager),
    applied: { managedFields: managedFieldsFrom(applied.owners) },
  });
  // Nothing but times would be new: what was written then still stands.
  const same =
    outcome.type === 'put' &&
    sameOwners(owners, applied.owners) &&
    isUnchanged(withManagedFields(outcome.object, stored), current);
  return same ? { type: 'keep' } : outcome;
}

async function createApplied<T extends KubeObject>(
  context: VerbContext,
  kind: Kind<T>,
  request: ReadRequest,
): Promise<T> {
  const { config, ref, fieldManager } = request;
  request.requireCreate();
  const metadata = metadataOf(config);
  if (metadata['uid']) {
    const why = `uid mismatch: the provided object specified uid ${textOf(metadata['uid'])}, and no existing object was found`;
    throw ApiError.conflict(kind, ref.name, why);
  }
  const input = { ...config, metadata: { ...metadata, name: ref.name } };
  const { owners } = merged(kind, config, () =>
    applyConfiguration({
      live: {},
      config: input,
      schema: typedSchemaOf(kind.schema),
      owners: NO_OWNERS,
      by: managerOf(kind, fieldManager, 'Apply', undefined),
      filter: filterOf(kind, undefined),
      conflicts: 'refuse',
      now: timestamp(context.clock.now()),
    }),
  );
  const applied = { managedFields: managedFieldsFrom(owners) };
  return await createObject(context, kind, { ...request, namespace: ref.namespace, input, applied });
}

/** Throws ApiError 400 for what is no configuration of this object. */
function readConfiguration<T extends KubeObject>(kind: Kind<T>, { config, ref }: ApplyRequest): JsonObject {
  if (!isObject(config)) throw ApiError.badRequest('apply patch: must be an object');
  refuseHostileKeys(config);
  const { apiVersion, kind: name } = config;
  if (apiVersion !== apiVersionOf(kind) || name !== kind.kind) {
    throw ApiError.badRequest(`invalid object type: ${groupVersion(textOf(apiVersion))}, Kind=${textOf(name)}`);
  }
  const metadata = metadataOf(config);
  if (metadata['managedFields'] !== undefined && metadata['managedFields'] !== null) {
    throw ApiError.badRequest('metadata.managedFields must be nil');
  }
  if (metadata['name'] && metadata['name'] !== ref.name) {
    throw ApiError.badRequest(
      `the name of the object (${textOf(metadata['name'])}) does not match the name on the URL (${ref.name})`,
    );
  }
  const unknown = undeclaredFields(config, typedSchemaOf(kind.schema));
  if (unknown.length > 0)
    throw untyped(
      kind,
      config,
      unknown.map((path) => `${path}: field not declared in schema`),
    );
  return config;
}

function merged<T extends KubeObject>(
  kind: Kind<T>,
  config: JsonObject,
  apply: () => Applied,
): Extract<Applied, { type: 'applied' }> {
  try {
    const applied = apply();
    if (applied.type === 'applied') return applied;
    throw applyConflict(applied.conflicts);
  } catch (error) {
    if (error instanceof UnkeyedItemError) throw untyped(kind, config, [error.message]);
    throw error;
  }
}

/** As Go writes a GroupVersion: `/v1` is the core group's. */
function groupVersion(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
}

/** The words of structured-merge-diff, whose ValidationErrors these are; the client's fault, so 400 and not its 500. */
function untyped<T extends KubeObject>(kind: Kind<T>, config: JsonObject, errors: readonly string[]): ApiError {
  const { name, namespace } = metadataOf(config);
  const what = `${textOf(namespace)}/${textOf(name)}; ${groupVersion(apiVersionOf(kind))}, Kind=${kind.kind}`;
  const all = errors.length === 1 ? errors[0] : ['errors:', ...errors.map((error) => `  ${error}`)].join('\n');
  return ApiError.badRequest(`failed to create typed patch object (${what}): ${all}`);
}

/** The annotation of kubectl's own apply goes with what it applies here, so that either way of applying can follow. */
function withAnnotation(object: JsonObject, config: JsonObject, fieldManager: string): JsonObject {
  if (fieldManager !== 'kubectl') return object;
  const metadata = metadataOf(object);
  const { annotations } = metadata;
  if (!isObject(annotations) || !annotations[LAST_APPLIED]) return object;
  const fresh = metadataOf(withLastApplied(config))['annotations'];
  const text = isObject(fresh) ? (fresh[LAST_APPLIED] ?? '') : '';
  return { ...object, metadata: { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: text } } };
}

function metadataOf({ metadata }: JsonObject): JsonObject {
  return isObject(metadata) ? metadata : {};
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
