import { isObject, type Json, type JsonObject } from '../json.ts';

/*
 * One step of a path to a field, in the form that managedFields have it (structured-merge-diff's
 * fieldpath/serialize-pe.go): `f:name` a field, `k:{"name":"a"}` the item of a list with these keys, `v:"x"` the item of a
 * set, `i:0` an index. No element is a name that a JavaScript object inherits.
 */

export type PathElement = string;

export function fieldElement(name: string): PathElement {
  return `f:${name}`;
}

/** Keys in any order; at least one. */
export function keyElement(keys: readonly (readonly [name: string, value: Json])[]): PathElement {
  const ordered = keys.length === 1 ? keys : [...keys].sort(([left], [right]) => (left < right ? -1 : 1));
  return `k:${JSON.stringify(Object.fromEntries(ordered))}`;
}

export function valueElement(value: Json): PathElement {
  return `v:${JSON.stringify(value)}`;
}

/** The name in a field's element; undefined for the other kinds. */
export function fieldNameOf(element: PathElement): string | undefined {
  return element.startsWith('f:') ? element.slice(2) : undefined;
}

/**
 * The element in the one form that equal elements share; undefined for a kind that nobody knows yet, which is left out.
 * Throws SyntaxError for text that is no element.
 */
export function canonicalElement(text: string): PathElement | undefined {
  if (text[1] !== ':') throw new SyntaxError(`path element ${JSON.stringify(text)}: missing colon`);
  const content = text.slice(2);
  switch (text[0]) {
    case 'f':
      return text;
    case 'v':
      return valueElement(JSON.parse(content) as Json);
    case 'k': {
      const keys: unknown = JSON.parse(content);
      if (!isObject(keys)) throw new SyntaxError(`path element ${JSON.stringify(text)}: an object was wanted`);
      return keyElement(Object.entries(keys));
    }
    case 'i':
      if (!/^\d+$/.test(content)) throw new SyntaxError(`path element ${JSON.stringify(text)}: a number was wanted`);
      return text;
    default:
      return undefined;
  }
}

/** As Kubernetes' messages show it: `.name`, `[name="a"]`, `[="x"]`, `[0]`. */
export function elementText(element: PathElement): string {
  const content = element.slice(2);
  if (element.startsWith('f:')) return `.${content}`;
  if (element.startsWith('v:')) return `[=${content}]`;
  if (element.startsWith('i:')) return `[${content}]`;
  const keys = Object.entries(JSON.parse(content) as JsonObject);
  return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
}

const KINDS = 'fkvi';

/** The order of elements within a set: fields, keys, values, indices, each by its content. */
export function compareElements(left: PathElement, right: PathElement): number {
  if (left === right) return 0;
  const kind = KINDS.indexOf(left[0] ?? '') - KINDS.indexOf(right[0] ?? '');
  if (kind !== 0) return kind;
  if (left.startsWith('f:')) return left < right ? -1 : 1;
  if (left.startsWith('i:')) return Number(left.slice(2)) - Number(right.slice(2));
  return compareJson(JSON.parse(left.slice(2)) as Json, JSON.parse(right.slice(2)) as Json);
}

const TYPES = ['number', 'string', 'boolean', 'object'];

/** Numbers before texts before truth values; keys by name, then by value (value.Compare, FieldList.Compare). */
function compareJson(left: Json, right: Json): number {
  const type = TYPES.indexOf(typeof left) - TYPES.indexOf(typeof right);
  if (type !== 0) return type;
  if (!isObject(left) || !isObject(right)) return left === right ? 0 : (left ?? 0) < (right ?? 0) ? -1 : 1;
  const names = Object.keys(left);
  const others = Object.keys(right);
  for (const [index, name] of names.entries()) {
    const other = others[index];
    if (other === undefined) return 1;
    if (name !== other) return name < other ? -1 : 1;
    const order = compareJson(left[name] ?? null, right[other] ?? null);
    if (order !== 0) return order;
  }
  return names.length - others.length;
}
