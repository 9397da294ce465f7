/** A field that is accepted and not acted on. */
export interface Unenforced {
  /** Fields with dots between; `[*]` after a list means each of its items. */
  readonly path: string;
  /** Values that mean what happens anyway. */
  readonly unless?: readonly unknown[];
  readonly because?: string;
}

/**
 * One warning for each unenforced field that `object`, found at `field`, sets, in the table's order; empty objects and lists set
 * nothing. Every write asks: a table is read once, and only fields that are there are looked at.
 */
export function unenforcedFields(object: unknown, field: string, table: readonly Unenforced[]): readonly string[] {
  const found: Found[] = [];
  find(object, field, treeOf(table), found);
  if (found.length === 0) return [];
  return found
    .sort((left, right) => left.rank - right.rank)
    .map(({ at, because }) => `${at}: not enforced yet by Tutti${because === undefined ? '' : ` (${because})`}`);
}

interface Found {
  readonly at: string;
  /** The place of its line in the table. */
  readonly rank: number;
  readonly because: string | undefined;
}

/** What the table says of a field, of its items, and of what is below it. */
interface Tree {
  readonly lines: (Unenforced & { readonly rank: number })[];
  readonly fields: Map<string, Tree>;
  items: Tree | undefined;
}

const trees = new WeakMap<readonly Unenforced[], Tree>();

function treeOf(table: readonly Unenforced[]): Tree {
  const known = trees.get(table);
  if (known !== undefined) return known;
  const root = emptyTree();
  for (const [rank, line] of table.entries()) placeOf(root, line.path).lines.push({ ...line, rank });
  trees.set(table, root);
  return root;
}

function placeOf(root: Tree, path: string): Tree {
  return path.split('.').reduce((tree, step) => {
    const each = step.endsWith('[*]');
    const name = each ? step.slice(0, -3) : step;
    const field = tree.fields.get(name) ?? emptyTree();
    tree.fields.set(name, field);
    if (!each) return field;
    field.items ??= emptyTree();
    return field.items;
  }, root);
}

function emptyTree(): Tree {
  return { lines: [], fields: new Map(), items: undefined };
}

function find(value: unknown, at: string, { lines, fields, items }: Tree, found: Found[]): void {
  for (const { rank, unless, because } of lines)
    if (!isEmpty(value) && unless?.includes(value) !== true) found.push({ at, rank, because });
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    if (items === undefined) return;
    for (const [index, item] of value.entries()) find(item, `${at}[${index}]`, items, found);
    return;
  }
  for (const [name, field] of fields) {
    const child = (value as Readonly<Record<string, unknown>>)[name];
    if (child !== undefined) find(child, at === '' ? name : `${at}.${name}`, field, found);
  }
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '') return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
