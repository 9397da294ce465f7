import { z } from 'zod';
import type { DeleteOptions } from '../../../api/client/client.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { fieldForbidden, fieldInvalid, fieldNotSupported } from '../../../api/meta/field-error.ts';
import type { FieldError } from '../../../api/meta/status.ts';
import type { ListRequest } from '../verbs/list.ts';
import type { FieldValidation } from '../verbs/verb-context.ts';
import { fieldManagerIn } from './field-manager.ts';
import { isTrue } from './request-info.ts';

/* The parameters that Kubernetes' verbs take in the query: ListOptions, CreateOptions, DeleteOptions of meta/v1. */

export function listOptions(query: URLSearchParams): Omit<ListRequest, 'namespace'> {
  const limit = wholeNumber(query, 'limit', -Infinity);
  const match = oneOf(query, 'resourceVersionMatch', ['Exact', 'NotOlderThan'] as const);
  const resourceVersion = text(query, 'resourceVersion');
  const token = text(query, 'continue');
  if (match !== undefined && resourceVersion === undefined && !isTrue(query.get('watch'))) {
    throw invalidOptions(
      'ListOptions',
      fieldForbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
    );
  }
  if (match === 'Exact' && resourceVersion === '0') {
    throw invalidOptions(
      'ListOptions',
      fieldForbidden('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
    );
  }
  if (token !== undefined && match !== undefined) {
    throw invalidOptions(
      'ListOptions',
      fieldForbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'),
    );
  }
  if (query.has('sendInitialEvents') && !isTrue(query.get('watch'))) {
    throw invalidOptions('ListOptions', fieldForbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  if (token !== undefined && resourceVersion !== undefined && resourceVersion !== '0') {
    throw ApiError.badRequest('specifying resource version is not allowed when using continue');
  }
  return {
    labelSelector: text(query, 'labelSelector'),
    fieldSelector: text(query, 'fieldSelector'),
    limit: limit === undefined || limit <= 0 ? undefined : limit,
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
      fieldForbidden('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
      ...(match === undefined ? [] : [fieldNotSupported('resourceVersionMatch', match, ['NotOlderThan'])]),
    );
  }
  const token = text(query, 'continue');
  if (token !== undefined)
    throw invalidOptions(
      'ListOptions',
      fieldForbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'),
    );
  if (initial === null && match !== undefined) {
    throw invalidOptions(
      'ListOptions',
      fieldForbidden(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ),
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

/** `kind` is that of the options: CreateOptions, UpdateOptions or PatchOptions. */
export function writeOptions(query: URLSearchParams, kind: string): WriteOptions {
  // Warn is what kube-apiserver does unless told (since 1.25).
  const fieldValidation = oneOf(query, 'fieldValidation', ['Ignore', 'Strict', 'Warn'] as const, kind) ?? 'Warn';
  return {
    dryRun: readDryRun(query.getAll('dryRun'), kind),
    fieldValidation,
    fieldManager: fieldManagerIn(query, kind),
  };
}

const POLICIES = ['Foreground', 'Background', 'Orphan'] as const;

const deleteOptionsSchema = z.object({
  kind: z.literal('DeleteOptions', { error: 'must be DeleteOptions' }).nullish(),
  gracePeriodSeconds: z.int().nullish(),
  orphanDependents: z.boolean().nullish(),
  propagationPolicy: z.string().nullish(),
  preconditions: z.object({ uid: z.string().nullish(), resourceVersion: z.string().nullish() }).nullish(),
  dryRun: z.array(z.string()).nullish(),
});

/** From the body where there is one, else from the query, as kube-apiserver reads them. */
export function deleteOptions(query: URLSearchParams, body: unknown): DeleteOptions {
  const parsed = deleteOptionsSchema.safeParse(body ?? fromQuery(query));
  if (!parsed.success) throw ApiError.badRequest(`DeleteOptions: ${z.prettifyError(parsed.error)}`);
  const { gracePeriodSeconds, orphanDependents, propagationPolicy, preconditions, dryRun } = parsed.data;
  if (typeof orphanDependents === 'boolean' && propagationPolicy) {
    const detail = 'orphanDependents and deletionPropagation cannot be both set';
    throw invalidOptions('DeleteOptions', fieldInvalid('propagationPolicy', propagationPolicy, detail));
  }
  const policy = propagationPolicy ? policyNamed(propagationPolicy) : legacyPolicy(orphanDependents);
  return {
    ...(typeof gracePeriodSeconds === 'number' ? { gracePeriodSeconds } : {}),
    ...(policy === undefined ? {} : { propagationPolicy: policy }),
    ...(preconditions ? { preconditions: present(preconditions) } : {}),
    dryRun: readDryRun([...(dryRun ?? []), ...query.getAll('dryRun')], 'DeleteOptions'),
  };
}

function policyNamed(name: string): (typeof POLICIES)[number] {
  const policy = POLICIES.find((each) => each === name);
  if (policy === undefined) throw unsupported('DeleteOptions', 'propagationPolicy', name, [...POLICIES, 'nil']);
  return policy;
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

function readDryRun(values: readonly string[], kind: string): boolean {
  const other = values.find((value) => value !== 'All' && value !== '');
  if (other !== undefined) throw unsupported(kind, 'dryRun', [other], ['All']);
  return values.includes('All');
}

function text(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name);
  return value === null || value === '' ? undefined : value;
}

function wholeNumber(query: URLSearchParams, name: string, least = 0): number | undefined {
  const value = text(query, name);
  if (value === undefined) return undefined;
  if (!/^-?\d{1,15}$/.test(value) || Number(value) < least)
    throw ApiError.badRequest(`${name}: ${JSON.stringify(value)} is not a whole number of 0 or more`);
  return Number(value);
}

function oneOf<const Value extends string>(
  query: URLSearchParams,
  name: string,
  values: readonly Value[],
  kind = 'ListOptions',
): Value | undefined {
  const value = text(query, name);
  if (value === undefined) return undefined;
  const found = values.find((each) => each === value);
  if (found === undefined) {
    throw name === 'fieldValidation'
      ? unsupported(kind, name, value, ['', ...values])
      : unsupported(kind, name, value, [...values, '']);
  }
  return found;
}

function unsupported(kind: string, field: string, value: unknown, supported: readonly string[]): ApiError {
  return ApiError.invalid({ group: 'meta.k8s.io', kind }, '', [fieldNotSupported(field, value, supported)]);
}

function invalidOptions(kind: string, ...errors: readonly FieldError[]): ApiError {
  return ApiError.invalid({ group: 'meta.k8s.io', kind }, '', errors);
}
