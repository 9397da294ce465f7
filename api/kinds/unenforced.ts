/** A field that is accepted and not acted on. */
export interface Unenforced {
  /** Fields with dots between; `[*]` after a list means each of its items. */
  readonly path: string;
  /** Values that mean what happens anyway. */
  readonly unless?: readonly unknown[];
  readonly because?: string;
}

/** One warning for each unenforced field that `object`, found at `field`, sets; empty objects and lists set nothing. */
export function unenforcedFields(object: unknown, field: string, table: readonly Unenforced[]): readonly string[] {
  return table.flatMap(({ path, unless, because }) =>
    find(object, field, path.split('.'))
      .filter(({ value }) => !isEmpty(value) && unless?.includes(value) !== true)
      .map(({ at }) => `${at}: not enforced yet by Tutti${because === undefined ? '' : ` (${because})`}`),
  );
}

interface Found {
  readonly at: string;
  readonly value: unknown;
}

function find(value: unknown, at: string, steps: readonly string[]): readonly Found[] {
  const [step, ...rest] = steps;
  if (step === undefined) return [{ at, value }];
  if (typeof value !== 'object' || value === null) return [];
  const each = step.endsWith('[*]');
  const name = each ? step.slice(0, -3) : step;
  const child = (value as Readonly<Record<string, unknown>>)[name];
  if (child === undefined) return [];
  const here = at === '' ? name : `${at}.${name}`;
  if (!each) return find(child, here, rest);
  return Array.isArray(child) ? child.flatMap((item, index) => find(item, `${here}[${index}]`, rest)) : [];
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '') return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
