import { z } from 'zod';
import type { DeleteOptions } from '../../../api/client/client.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { fieldNotSupported } from '../../../api/meta/field-error.ts';
import type { ListRequest } from '../verbs/list.ts';
import type { FieldValidation } from '../verbs/verb-context.ts';
import { fieldManagerIn } from './field-manager.ts';
import { isTrue } from './request-info.ts';

/* The parameters that Kubernetes' verbs take in the query: ListOptions, CreateOptions, DeleteOptions of meta/v1. */

export function listOptions(query: URLSearchParams): Omit<ListRequest, 'namespace'> {
  const limit = wholeNumber(query, 'limit');
  const match = oneOf(query, 'resourceVersionMatch', ['Exact', 'NotOlderThan'] as const);
  const resourceVersion = text(query, 'resourceVersion');
  const token = text(query, 'continue');
  if (match !== undefined && resourceVersion === undefined && !isTrue(query.get('watch'))) {
    throw invalidOptions(
      'ListOptions',
      'resourceVersionMatch',
      'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    );
  }
  if (match === 'Exact' && resourceVersion === '0') {
    throw invalidOptions(
      'ListOptions',
      'resourceVersionMatch',
      'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    );
  }
  if (token !== undefined && match !== undefined) {
    throw invalidOptions(
      'ListOptions',
      'resourceVersionMatch',
      'Forbidden: resourceVersionMatch is forbidden when continue is provided',
    );
  }
  if (query.has('sendInitialEvents') && !isTrue(query.get('watch'))) {
    throw invalidOptions('ListOptions', 'sendInitialEvents', 'Forbidden: sendInitialEvents is forbidden for list');
  }
  if (token !== undefined && resourceVersion !== undefined && resourceVersion !== '0') {
    throw ApiError.badRequest('specifying resource version is not allowed when using continue');
  }
  return {
    labelSelector: text(query, 'labelSelector'),
    fieldSelector: text(query, 'fieldSelector'),
    limit: limit === 0 ? undefined : limit,
    continue: token,
    resourceVersion,
    match,
  };
}

export interface WatchOptions {
  readonly labelSelector: string | undefined;
  readonly fieldSelector: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly sendInitialEvents: boolean | undefined;
  readonly bookmarks: boolean;
  readonly timeoutSeconds: number | undefined;
}

export function watchOptions(query: URLSearchParams): WatchOptions {
  const initial = query.get('sendInitialEvents');
  const match = text(query, 'resourceVersionMatch');
  if (initial !== null && match !== 'NotOlderThan') {
    throw invalidOptions(
      'ListOptions',
      'resourceVersionMatch',
      'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    );
  }
  if (initial === null && match !== undefined) {
    throw invalidOptions(
      'ListOptions',
      'resourceVersionMatch',
      'Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    );
  }
  return {
    labelSelector: text(query, 'labelSelector'),
    fieldSelector: text(query, 'fieldSelector'),
    resourceVersion: text(query, 'resourceVersion'),
    sendInitialEvents: initial === null ? undefined : isTrue(initial),
    bookmarks: isTrue(query.get('allowWatchBookmarks')),
    timeoutSeconds: wholeNumber(query, 'timeoutSeconds'),
  };
}

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** Undefined when the write does not say who it is. */
  readonly fieldManager: string | undefined;
}

export function writeOptions(query: URLSearchParams): WriteOptions {
  // Warn is what kube-apiserver does unless told (since 1.25).
  const fieldValidation = oneOf(query, 'fieldValidation', ['Ignore', 'Strict', 'Warn'] as const) ?? 'Warn';
  return { dryRun: readDryRun(query.getAll('dryRun')), fieldValidation, fieldManager: fieldManagerIn(query) };
}

const deleteOptionsSchema = z.object({
  gracePeriodSeconds: z.int().nullish(),
  orphanDependents: z.boolean().nullish(),
  propagationPolicy: z.enum(['Background', 'Foreground', 'Orphan']).nullish(),
  preconditions: z.object({ uid: z.string().nullish(), resourceVersion: z.string().nullish() }).nullish(),
  dryRun: z.array(z.string()).nullish(),
});

/** From the body where there is one, else from the query, as kube-apiserver reads them. */
export function deleteOptions(query: URLSearchParams, body: unknown): DeleteOptions {
  const parsed = deleteOptionsSchema.safeParse(body ?? fromQuery(query));
  if (!parsed.success) throw ApiError.badRequest(`DeleteOptions: ${z.prettifyError(parsed.error)}`);
  const { gracePeriodSeconds, orphanDependents, propagationPolicy, preconditions, dryRun } = parsed.data;
  if (typeof orphanDependents === 'boolean' && propagationPolicy) {
    throw invalidOptions(
      'DeleteOptions',
      'propagationPolicy',
      'Invalid value: orphanDependents and deletionPropagation cannot be both set',
    );
  }
  const policy = propagationPolicy ?? legacyPolicy(orphanDependents);
  return {
    ...(typeof gracePeriodSeconds === 'number' ? { gracePeriodSeconds } : {}),
    ...(policy === undefined ? {} : { propagationPolicy: policy }),
    ...(preconditions ? { preconditions: present(preconditions) } : {}),
    dryRun: readDryRun([...(dryRun ?? []), ...query.getAll('dryRun')]),
  };
}

function legacyPolicy(orphanDependents: boolean | null | undefined): 'Orphan' | 'Background' | undefined {
  if (typeof orphanDependents !== 'boolean') return undefined;
  return orphanDependents ? 'Orphan' : 'Background';
}

function present({
  uid,
  resourceVersion,
}: {
  uid?: string | null | undefined;
  resourceVersion?: string | null | undefined;
}) {
  return { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
}

function fromQuery(query: URLSearchParams): object {
  return {
    gracePeriodSeconds: wholeNumber(query, 'gracePeriodSeconds'),
    orphanDependents: query.has('orphanDependents') ? isTrue(query.get('orphanDependents')) : undefined,
    propagationPolicy: text(query, 'propagationPolicy'),
  };
}

function readDryRun(values: readonly string[]): boolean {
  const other = values.find((value) => value !== 'All' && value !== '');
  if (other !== undefined) throw unsupported('CreateOptions', 'dryRun', [other], ['All']);
  return values.includes('All');
}

function text(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name);
  return value === null || value === '' ? undefined : value;
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const value = text(query, name);
  if (value === undefined) return undefined;
  if (!/^\d{1,15}$/.test(value))
    throw ApiError.badRequest(`${name}: ${JSON.stringify(value)} is not a whole number of 0 or more`);
  return Number(value);
}

function oneOf<const Value extends string>(
  query: URLSearchParams,
  name: string,
  values: readonly Value[],
): Value | undefined {
  const value = text(query, name);
  if (value === undefined) return undefined;
  const found = values.find((each) => each === value);
  if (found === undefined) {
    throw name === 'fieldValidation'
      ? unsupported('CreateOptions', name, value, ['', ...values])
      : unsupported('ListOptions', name, value, values);
  }
  return found;
}

function unsupported(kind: string, field: string, value: unknown, supported: readonly string[]): ApiError {
  return ApiError.invalid({ group: 'meta.k8s.io', kind }, '', [fieldNotSupported(field, value, supported)]);
}

function invalidOptions(kind: string, field: string, message: string): ApiError {
  return ApiError.invalid({ group: 'meta.k8s.io', kind }, '', [{ type: 'FieldValueInvalid', field, message }]);
}
