import { globalRegistry, type z } from 'zod';

/**
 * What a strategic merge patch needs to know of one place in a kind's schema. Places that the schema does not know
 * behave as Kubernetes treats untyped JSON: objects merge, lists are replaced.
 */
export interface PatchSchema {
  /** Lists: `merge` or `replace`; objects: anything but `replace` merges. `retainKeys` clears what is not named. */
  readonly strategies: ReadonlySet<string>;
  /** The field by which a merged list's items are told apart; undefined for lists of plain values. */
  readonly mergeKey: string | undefined;
  readonly field: (name: string) => PatchSchema;
  readonly item: () => PatchSchema;
}

export function patchSchemaOf(schema: z.ZodType): PatchSchema {
  return place(schema);
}

/** The part of zod's definitions that is walked here; the same for every type of schema. */
export interface SchemaNode {
  readonly _zod: {
    readonly def: {
      readonly type: string;
      readonly innerType?: SchemaNode;
      readonly defaultValue?: unknown;
      readonly in?: SchemaNode;
      readonly out?: SchemaNode;
      readonly shape?: Readonly<Record<string, SchemaNode>>;
      readonly element?: SchemaNode;
      readonly valueType?: SchemaNode;
      readonly options?: readonly SchemaNode[];
    };
  };
}

const UNKNOWN: PatchSchema = {
  strategies: new Set(),
  mergeKey: undefined,
  field: () => UNKNOWN,
  item: () => UNKNOWN,
};

const places = new WeakMap<SchemaNode, PatchSchema>();

function place(node: SchemaNode | undefined): PatchSchema {
  if (node === undefined) return UNKNOWN;
  const known = places.get(node);
  if (known !== undefined) return known;
  const { core, meta } = unwrap(node);
  const { def } = core._zod;
  const strategy = meta['x-kubernetes-patch-strategy'];
  const mergeKey = meta['x-kubernetes-patch-merge-key'];
  const strategies = new Set(typeof strategy === 'string' ? strategy.split(',') : []);
  const made: PatchSchema = {
    strategies,
    mergeKey: typeof mergeKey === 'string' ? mergeKey : undefined,
    field: (name) => place(fieldOf(core, name)),
    item: () => (strategies.has('retainKeys') ? retaining(place(def.element)) : place(def.element)),
  };
  places.set(node, made);
  return made;
}

/** `merge,retainKeys` on a list is about its items. */
function retaining(item: PatchSchema): PatchSchema {
  return { ...item, strategies: new Set([...item.strategies, 'retainKeys']) };
}

function fieldOf(node: SchemaNode, name: string): SchemaNode | undefined {
  const { shape, valueType, options } = node._zod.def;
  if (shape !== undefined) return Object.hasOwn(shape, name) ? shape[name] : undefined;
  if (valueType !== undefined) return valueType;
  return options?.map((option) => fieldOf(unwrap(option).core, name)).find((found) => found !== undefined);
}

/** Through defaults, optionals and transforms to the thing itself, with the metadata of every layer; the outer wins. */
export function unwrap(node: SchemaNode): { core: SchemaNode; meta: Readonly<Record<string, unknown>> } {
  const { def } = node._zod;
  const inner = def.innerType ?? (def.in?._zod.def.type === 'transform' ? def.out : def.in);
  const own = globalRegistry.get(node as unknown as z.ZodType) ?? {};
  if (inner === undefined) return { core: node, meta: own };
  const { core, meta } = unwrap(inner);
  return { core, meta: { ...meta, ...own } };
}
