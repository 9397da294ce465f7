import type { FieldError, Status, StatusDetails, StatusReason } from './status.ts';

/** How an error names a resource: `deployments.apps`, or `pods` for the core group. */
export interface ResourceName {
  readonly group: string;
  readonly plural: string;
}

/** How an error names a kind: `Deployment.apps`, or `Pod` for the core group. */
export interface KindName {
  readonly group: string;
  readonly kind: string;
}

/**
 * An answer of the API that is not a success: what the server throws and what the client gets. The constructors give
 * Kubernetes' codes, reasons, messages and details (k8s.io/apimachinery/pkg/api/errors/errors.go).
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: Status;

  constructor(status: Status, options?: ErrorOptions) {
    super(status.message, options);
    this.status = status;
  }

  get code(): number {
    return this.status.code;
  }

  get reason(): StatusReason | undefined {
    return this.status.reason;
  }

  static notFound(resource: ResourceName, name: string): ApiError {
    const message = `${qualified(resource.plural, resource.group)} ${quoted(name)} not found`;
    return failure(404, 'NotFound', message, resourceDetails(resource, name));
  }

  static alreadyExists(resource: ResourceName, name: string): ApiError {
    const message = `${qualified(resource.plural, resource.group)} ${quoted(name)} already exists`;
    return failure(409, 'AlreadyExists', message, resourceDetails(resource, name));
  }

  /** `why` as Kubernetes says it: {@link STALE_WRITE} for a resourceVersion that has passed. */
  static conflict(resource: ResourceName, name: string, why: string): ApiError {
    const message = `Operation cannot be fulfilled on ${qualified(resource.plural, resource.group)} ${quoted(name)}: ${why}`;
    return failure(409, 'Conflict', message, resourceDetails(resource, name));
  }

  static invalid(kind: KindName, name: string, errors: readonly FieldError[]): ApiError {
    const lines = errors.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`));
    const all = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
    const message = `${qualified(kind.kind, kind.group)} ${quoted(name)} is invalid: ${all}`;
    const causes = errors.map(({ type, field, message: cause }) => ({ reason: type, message: cause, field }));
    const named = name === '' ? {} : { name };
    const what = kind.kind === '' ? {} : { kind: kind.kind };
    return failure(422, 'Invalid', message, { ...named, ...group(kind.group), ...what, causes });
  }

  static badRequest(message: string): ApiError {
    return failure(400, 'BadRequest', message);
  }

  /** The cause is for the log: whoever asks is not told what is wrong with a credential, but by `told`. */
  static unauthorized(options: { readonly cause?: unknown; readonly told?: string | undefined } = {}): ApiError {
    const { cause, told } = options;
    const message = told === undefined ? 'Unauthorized' : `Unauthorized: ${told}`;
    return failure(401, 'Unauthorized', message, undefined, cause === undefined ? {} : { cause });
  }

  /** `message` is the whole sentence: `User "x" cannot list resource "pods" in API group "" in the namespace "y"`. */
  static forbidden(resource: ResourceName, name: string, message: string): ApiError {
    const subject = qualified(resource.plural, resource.group) + (name === '' ? '' : ` ${quoted(name)}`);
    return failure(403, 'Forbidden', `${subject} is forbidden: ${message}`, resourceDetails(resource, name));
  }

  static methodNotAllowed(resource: ResourceName, verb: string): ApiError {
    const message = `${verb} is not supported on resources of kind "${qualified(resource.plural, resource.group)}"`;
    return failure(405, 'MethodNotAllowed', message, resourceDetails(resource, ''));
  }

  /** A path that is served, and not by this method. */
  static methodUnknown(): ApiError {
    return failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
  }

  static notAcceptable(message: string): ApiError {
    return failure(406, 'NotAcceptable', message);
  }

  /** A watch or a continue token older than the history that is kept: list again. */
  static expired(message: string): ApiError {
    return failure(410, 'Expired', message);
  }

  static tooLarge(message: string): ApiError {
    return failure(413, 'RequestEntityTooLarge', message);
  }

  static unsupportedMediaType(message: string): ApiError {
    return failure(415, 'UnsupportedMediaType', message);
  }

  static tooManyRequests(message: string, retryAfterSeconds: number): ApiError {
    return failure(429, 'TooManyRequests', message, { retryAfterSeconds });
  }

  static internal(message: string, options?: ErrorOptions): ApiError {
    const details = { causes: [{ reason: 'UnexpectedServerResponse', message }] };
    return failure(500, 'InternalError', `Internal error occurred: ${message}`, details, options);
  }

  /** The server is there and cannot answer now, or cannot be reached at all. */
  static unavailable(message: string, options?: ErrorOptions): ApiError {
    return failure(503, 'ServiceUnavailable', message, undefined, options);
  }

  static timeout(message: string, retryAfterSeconds: number): ApiError {
    return failure(504, 'Timeout', message, { retryAfterSeconds });
  }
}

export const STALE_WRITE =
  'the object has been modified; please apply your changes to the latest version and try again';

/** True for an ApiError with that code: `hasCode(error, 404)`. */
export function hasCode(error: unknown, code: number): error is ApiError {
  return error instanceof ApiError && error.code === code;
}

function failure(
  code: number,
  reason: StatusReason,
  message: string,
  details?: StatusDetails,
  options?: ErrorOptions,
): ApiError {
  const head = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason } as const;
  return new ApiError(details === undefined ? { ...head, code } : { ...head, details, code }, options);
}

function resourceDetails(resource: ResourceName, name: string): StatusDetails {
  return { ...(name === '' ? {} : { name }), ...group(resource.group), kind: resource.plural };
}

function group(name: string): { group?: string } {
  return name === '' ? {} : { group: name };
}

function qualified(name: string, apiGroup: string): string {
  return apiGroup === '' ? name : `${name}.${apiGroup}`;
}

/** Go's %q, for the characters that names have. */
function quoted(name: string): string {
  return JSON.stringify(name);
}
