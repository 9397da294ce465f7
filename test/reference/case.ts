/** What is asked of both servers: calls in order, in a namespace of their own. */
export interface Case {
  /** The case's name and, in the calls, `$ns`: a DNS label that no other case has. */
  readonly name: string;
  readonly calls: readonly Call[];
  /** Who owns which field is compared too; elsewhere it is left out. */
  readonly managedFields?: true;
}

/**
 * One request. In path and body `$ns` stands for the case's namespace and `$(0.metadata.uid)` for what the body of the
 * case's first answer has there.
 */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  /** Content-Type; application/json for a body unless told. */
  readonly type?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The answer is a watch: this many events are read, then it is left. */
  readonly events?: number;
}

export interface Answer {
  readonly code: number;
  /** Only where it is not application/json. */
  readonly type?: string;
  readonly warnings?: readonly string[];
  readonly body?: unknown;
  readonly events?: readonly unknown[];
}

/** The answers to a case's calls, in order. */
export type Answers = readonly Answer[];

export const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export function get(path: string, more: Partial<Call> = {}): Call {
  return { method: 'GET', path, ...more };
}

export function post(path: string, body: unknown, more: Partial<Call> = {}): Call {
  return { method: 'POST', path, body, ...more };
}

export function put(path: string, body: unknown, more: Partial<Call> = {}): Call {
  return { method: 'PUT', path, body, ...more };
}

export function patch(type: keyof typeof PATCH_TYPES, path: string, body: unknown, more: Partial<Call> = {}): Call {
  return { method: 'PATCH', path, body, type: PATCH_TYPES[type], ...more };
}

export function remove(path: string, body?: unknown): Call {
  return { method: 'DELETE', path, ...(body === undefined ? {} : { body }) };
}

export function table(path: string): Call {
  return { method: 'GET', path, accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
}

export function watch(path: string, events: number): Call {
  return { method: 'GET', path, events };
}
