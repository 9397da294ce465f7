import type { z } from 'zod';
import type { Json } from '../json.ts';
import { type SchemaNode, unwrap } from '../patch-schema.ts';

/**
 * What ownership of fields needs to know of one place in a kind's schema (structured-merge-diff's schema/elements.go).
 *
 * - `leaf`: owned as a whole: plain values, atomic lists, atomic objects.
 * - `object`: each field has owners of its own.
 * - `list`: each item has, told apart by its keys, or by its value when there are none.
 * - `untyped`: whatever the value is; objects as `object`, all else as `leaf`.
 */
export interface TypedSchema {
  readonly shape: 'leaf' | 'object' | 'list' | 'untyped';
  /** Whether the field has a name in the schema, rather than being any entry of a map. */
  readonly declares: (name: string) => boolean;
  /** Whether fields beside the declared ones are taken. */
  readonly open: boolean;
  readonly field: (name: string) => TypedSchema;
  readonly item: () => TypedSchema;
  readonly keys: readonly ListKey[];
}

export interface ListKey {
  readonly name: string;
  /** What it counts as where an item leaves it out. */
  readonly fallback: Json | undefined;
}

const LEAF: TypedSchema = {
  shape: 'leaf',
  declares: () => false,
  open: true,
  field: () => LEAF,
  item: () => LEAF,
  keys: [],
};

const UNTYPED: TypedSchema = { ...LEAF, shape: 'untyped', field: () => UNTYPED };

const places = new WeakMap<SchemaNode, TypedSchema>();

export function typedSchemaOf(schema: z.ZodType): TypedSchema {
  return place(schema);
}

function place(node: SchemaNode | undefined): TypedSchema {
  if (node === undefined) return UNTYPED;
  const known = places.get(node);
  if (known !== undefined) return known;
  const made = make(node);
  places.set(node, made);
  return made;
}

function make(node: SchemaNode): TypedSchema {
  const { core, meta } = unwrap(node);
  const { type, shape, valueType, element, options } = core._zod.def;
  if (meta['x-kubernetes-map-type'] === 'atomic') return LEAF;
  if (shape !== undefined) {
    return {
      ...LEAF,
      shape: 'object',
      declares: (name) => Object.hasOwn(shape, name),
      open: false,
      field: (name) => place(Object.hasOwn(shape, name) ? shape[name] : undefined),
    };
  }
  if (valueType !== undefined) return { ...LEAF, shape: 'object', field: () => place(valueType) };
  if (element !== undefined) return list(element, meta);
  if (type === 'unknown' || type === 'any') return UNTYPED;
  const objects = (options ?? []).map(place).filter((option) => option.shape === 'object');
  return objects.length === 0 ? LEAF : anyOf(objects);
}

/** Arrays are atomic unless they say otherwise. */
function list(element: SchemaNode, meta: Readonly<Record<string, unknown>>): TypedSchema {
  const type = meta['x-kubernetes-list-type'];
  if (type !== 'map' && type !== 'set') return LEAF;
  const names = type === 'map' ? (meta['x-kubernetes-list-map-keys'] as readonly string[]) : [];
  const fields = unwrap(element).core._zod.def.shape ?? {};
  const keys = names.map((name) => ({ name, fallback: defaultOf(fields[name]) }));
  return { ...LEAF, shape: 'list', item: () => place(element), keys };
}

function anyOf(options: readonly TypedSchema[]): TypedSchema {
  return {
    ...LEAF,
    shape: 'object',
    open: options.some(({ open }) => open),
    declares: (name) => options.some((option) => option.declares(name)),
    field: (name) => (options.find((option) => option.declares(name)) ?? options[0] ?? UNTYPED).field(name),
  };
}

function defaultOf(node: SchemaNode | undefined): Json | undefined {
  if (node === undefined) return undefined;
  const { type, defaultValue, innerType } = node._zod.def;
  if ((type === 'default' || type === 'prefault') && defaultValue !== undefined) return defaultValue as Json;
  return defaultOf(innerType);
}
