import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { namespaceKind } from '../../../api/kinds/namespace.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { fieldInvalid } from '../../../api/meta/field-error.ts';
import { timestamp } from '../../../kit/clock.ts';
import { nameSuffix, newUid } from '../../../kit/ids.ts';
import type { Compare } from '../../store/store.ts';
import { claimsOf, isClaim } from '../admission/claims.ts';
import { serviceAddresses } from '../admission/pool.ts';
import { decodeObject } from './decode-object.ts';
import { type AppliedOwners, managedFieldsAfter, withManagedFields } from './field-ownership.ts';
import { objectKey, refOf } from './object-key.ts';
import { newMetadata, withoutStatus } from './server-fields.ts';
import { requireValid } from './validate.ts';
import type { VerbContext, WriteRequest } from './verb-context.ts';

export interface CreateRequest extends WriteRequest {
  /** As the path says; undefined for kinds without. */
  readonly namespace: string | undefined;
  readonly input: unknown;
  readonly applied?: AppliedOwners;
}

/** Tries at a generated name, or at what others claimed meanwhile (MaxGenerateNameCreateRetries is 8 in Kubernetes). */
const MAX_TRIES = 8;

/** A generated name fits into a DNS label with its five characters (names.maxGeneratedNameLength). */
const GENERATED_BASE_LENGTH = 58;

export async function createObject<T extends KubeObject>(
  context: VerbContext,
  kind: Kind<T>,
  request: CreateRequest,
): Promise<T> {
  if (context.live.find(kind) !== undefined) throw ApiError.methodNotAllowed(kind, 'create');
  const given = decodeObject(kind, withoutStatus(kind, request.input), request);
  const namespace = namespaceOf(kind, given, request.namespace);
  // Who refuses a version is the store: a dry run does not come so far. An apply leaves it out where there is nothing yet.
  if (given.metadata.resourceVersion && !request.dryRun && request.applied === undefined) {
    throw ApiError.badRequest('resourceVersion should not be set on objects to be created');
  }
  const explicit = claimsOf(given);
  for (let tries = 1; ; tries++) {
    const object = await admitNew(context, kind, given, { ...request, namespace });
    requireValid(kind, object, undefined);
    if (tries === 1) for (const warning of kind.warnings(object)) request.warn(warning);
    const guards = await namespaceGuards(context, kind, namespace, object);
    const key = objectKey(kind, refOf(object));
    if (request.dryRun) {
      if ((await context.objects.get(kind, refOf(object))) !== undefined) {
        throw ApiError.alreadyExists(kind, object.metadata.name);
      }
      return unstored(object, given.metadata.resourceVersion);
    }
    const claims = claimsOf(object);
    const value = context.objects.encode(kind, key, object);
    const result = await context.objects.transact({
      compare: [...guards, ...[key, ...claims].map((each) => ({ key: each, revision: 0 }))],
      put: [{ key, value }, ...claims.map((claim) => ({ key: claim, value: key }))],
      delete: [],
    });
    // Read back from its text, so that the writer sees what every reader will.
    if (result.ok) return context.objects.decode(kind, { key, value, revision: result.revision });
    const { key: lost } = result.conflict;
    const final = tries >= MAX_TRIES;
    if (lost === key && (given.metadata.name || final)) throw ApiError.alreadyExists(kind, object.metadata.name);
    if (isClaim(lost) && (explicit.includes(lost) || final)) throw alreadyClaimed(kind, object.metadata.name, lost);
    if (final) throw ApiError.conflict(kind, object.metadata.name, 'its namespace keeps changing; try again');
  }
}

/** A dry run has all that storing would have given but the version; one that the client has given stays. */
function unstored<T extends KubeObject>(object: T, given: string | undefined): T {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata: given ? { ...metadata, resourceVersion: given } : metadata };
}

async function admitNew<T extends KubeObject>(
  { admission, clock }: VerbContext,
  kind: Kind<T>,
  given: T,
  { user, namespace, fieldManager, applied }: Omit<CreateRequest, 'input'>,
): Promise<T> {
  const { generateName } = given.metadata;
  const name = given.metadata.name || (generateName ? generateName.slice(0, GENERATED_BASE_LENGTH) + nameSuffix() : '');
  const now = timestamp(clock.now());
  const bare = { ...given, metadata: newMetadata(kind, given.metadata, { name, namespace, uid: newUid(), now }) };
  const owners =
    applied ??
    managedFieldsAfter({
      kind,
      before: undefined,
      after: bare,
      given: given.metadata.managedFields,
      manager: fieldManager,
      door: undefined,
      now,
    });
  const object = withManagedFields(bare, owners.managedFields);
  return await admission.admit({ kind, object, old: undefined, user });
}

function namespaceOf<T extends KubeObject>(
  kind: Kind<T>,
  { metadata }: T,
  asked: string | undefined,
): string | undefined {
  // EnsureObjectNamespaceMatchesRequestNamespace: what a client says of a namespace where there is none is passed over.
  if (!kind.namespaced) return undefined;
  if (metadata.namespace && asked && metadata.namespace !== asked) {
    throw ApiError.badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  return asked || metadata.namespace || 'default';
}

/** The namespace must be there and stay as it is until the object is in it (NamespaceLifecycle admission). */
async function namespaceGuards<T extends KubeObject>(
  { objects }: VerbContext,
  kind: Kind<T>,
  namespace: string | undefined,
  object: T,
): Promise<readonly Compare[]> {
  if (!kind.namespaced || namespace === undefined) return [];
  const found = await objects.get(namespaceKind, { name: namespace });
  if (found === undefined) throw ApiError.notFound(namespaceKind, namespace);
  if (found.metadata.deletionTimestamp !== undefined) {
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const { status } = ApiError.forbidden(kind, object.metadata.name, why);
    const message = `namespace ${namespace} is being terminated`;
    const causes = [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }];
    throw new ApiError({ ...status, details: { ...status.details, causes } });
  }
  return [{ key: objectKey(namespaceKind, refOf(found)), revision: Number(found.metadata.resourceVersion) }];
}

export function alreadyClaimed<T extends KubeObject>(kind: Kind<T>, name: string, claim: string): ApiError {
  const [, , pool, ...item] = claim.split('/');
  if (pool === serviceAddresses.name) {
    const address = item.join('/');
    const detail = `failed to allocate IP ${address}: provided IP is already allocated`;
    return ApiError.invalid(kind, name, [fieldInvalid('spec.clusterIPs', [address], detail)]);
  }
  const message = `Invalid value: ${JSON.stringify(item.join('/'))}: provided item of ${pool ?? ''} is already allocated`;
  return ApiError.invalid(kind, name, [{ type: 'FieldValueInvalid', field: 'spec', message }]);
}
