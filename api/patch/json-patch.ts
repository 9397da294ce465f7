import { applyPatch, type Operation } from 'rfc6902';
import { ApiError } from '../meta/api-error.ts';
import { refuseHostileKey, refuseHostileKeys } from './hostile-keys.ts';
import { isObject, type Json } from './json.ts';

/** As many as kube-apiserver takes (apiserver/pkg/endpoints/handlers/patch.go, maxJSONPatchOperations). */
const MAX_OPERATIONS = 10_000;

/**
 * The document after a JSON Patch (RFC 6902). Throws ApiError: 400 for what is not a patch, 413 for too many operations,
 * 422 where an operation cannot be carried out or a test fails. The input is not changed.
 */
export function applyJsonPatch(document: Json, patch: unknown): Json {
  if (!Array.isArray(patch)) throw ApiError.badRequest('json patch: must be a list of operations');
  if (patch.length > MAX_OPERATIONS) {
    throw ApiError.tooLarge(`json patch: at most ${MAX_OPERATIONS} operations, got ${patch.length}`);
  }
  refuseHostileKeys(patch);
  const result = structuredClone(document);
  for (const [index, operation] of patch.entries()) {
    const checked = checkOperation(operation, result, index);
    const [error] = applyPatch(result, [checked]);
    if (error !== null && error !== undefined) throw failed(index, error.message);
  }
  return result;
}

const NAMES = ['add', 'remove', 'replace', 'move', 'copy', 'test'];

/** What the library leaves open: that steps are the document's own fields, and that indices are numbers. */
function checkOperation(operation: unknown, document: Json, index: number): Operation {
  if (!isObject(operation)) throw ApiError.badRequest(`json patch: operation ${index} must be an object`);
  const { op, path, from } = operation;
  if (typeof op !== 'string' || !NAMES.includes(op)) {
    throw failed(index, `op must be one of ${NAMES.join(', ')}`);
  }
  const needsFrom = op === 'move' || op === 'copy';
  checkPointer(path, document, {
    index,
    member: 'path',
    mustExist: op === 'remove' || op === 'replace' || op === 'test',
  });
  if (needsFrom) checkPointer(from, document, { index, member: 'from', mustExist: true });
  if ((op === 'add' || op === 'replace' || op === 'test') && !Object.hasOwn(operation, 'value')) {
    throw ApiError.badRequest(`json patch: operation ${index}: ${op} needs a value`);
  }
  return operation as unknown as Operation;
}

interface PointerUse {
  readonly index: number;
  readonly member: 'path' | 'from';
  readonly mustExist: boolean;
}

function checkPointer(pointer: unknown, document: Json, { index, member, mustExist }: PointerUse): void {
  if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/'))) {
    throw ApiError.badRequest(`json patch: operation ${index}: ${member} must be a JSON pointer`);
  }
  const tokens = pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
  let here: Json | undefined = document;
  for (const [place, token] of tokens.entries()) {
    refuseHostileKey(token);
    const last = place === tokens.length - 1;
    const next: Json | undefined = step(here, token);
    if (next === undefined && (!last || mustExist)) throw failed(index, `nothing at ${JSON.stringify(pointer)}`);
    here = next;
  }
}

function step(value: Json | undefined, token: string): Json | undefined {
  if (Array.isArray(value)) return /^(0|[1-9]\d*)$/.test(token) ? (value as readonly Json[])[Number(token)] : undefined;
  return isObject(value) && Object.hasOwn(value, token) ? value[token] : undefined;
}

function failed(index: number, why: string): ApiError {
  const message = `the server rejected our request due to an error in our request: json patch: operation ${index}: ${why}`;
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: 'Invalid',
    code: 422,
  });
}
