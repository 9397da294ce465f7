import { ApiError } from '../meta/api-error.ts';

/** Field names that reach an object's prototype in JavaScript. No resource has them; a patch that does is an attack. */
const HOSTILE: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export function refuseHostileKey(key: string): void {
  if (HOSTILE.has(key)) throw ApiError.badRequest(`patch names the field ${JSON.stringify(key)}: not allowed`);
}

/** Deeper nesting is refused: a document of brackets must not end the process. Kubernetes' decoder has 10,000. */
const MAX_DEPTH = 500;

/** Throws ApiError 400 where a hostile name is used anywhere within `value`. */
export function refuseHostileKeys(value: unknown, depth = 0): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > MAX_DEPTH) throw ApiError.badRequest(`patch is nested deeper than ${MAX_DEPTH} levels`);
  if (!Array.isArray(value)) for (const key of Object.keys(value)) refuseHostileKey(key);
  for (const child of Object.values(value)) refuseHostileKeys(child, depth + 1);
}
