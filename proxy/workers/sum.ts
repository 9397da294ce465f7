/** Numbers that are not counts: the same in every worker, or of one clock. The larger stands for all. */
const NOT_SUMMED = new Set([
  'weight',
  'port',
  'identityNotAfterMs',
  'identityRotations',
  'applied',
  'problems',
  'p50',
  'p99',
  'untilMs',
]);

/** What is over when its worker is: all other numbers only ever rise. */
const GAUGES = new Set(['connectionsOpen', 'active', 'idleConnections', 'connections']);

/** Of an endpoint, in the eyes of one worker. */
const FLAGS_OF_THE_MOMENT = new Set(['avoided', 'ejected']);
const LISTS_OF_THE_MOMENT = new Set(['ejections']);

/** What tells the members of a list apart. */
const KEYS = ['name', 'cluster', 'address'] as const;

/**
 * Two workers' numbers together, field by field, whatever their shape: counts are added, also in arrays, maps and lists of named
 * things; a flag is set when one of them has it set. A field that is new in the engine needs nothing here unless it is no count.
 */
export function sum<T>(one: T, other: T): T {
  return sumOf('', one, other) as T;
}

/** What a worker that has ended leaves behind: its counters, without what was open or under way. */
export function remains<T>(figures: T): T {
  return withoutGauges('', figures, false) as T;
}

function sumOf(field: string, one: unknown, other: unknown): unknown {
  if (other === undefined) return one;
  if (one === undefined) return other;
  if (typeof one === 'number' && typeof other === 'number') {
    return NOT_SUMMED.has(field) ? Math.max(one, other) : one + other;
  }
  if (typeof one === 'boolean') return one || other === true;
  if (one instanceof Float64Array && other instanceof Float64Array) {
    return one.map((value, at) => value + (other[at] ?? 0));
  }
  if (one instanceof Map && other instanceof Map) return sumOfMaps(field, one, other);
  if (Array.isArray(one) && Array.isArray(other)) return [...sumOfMaps(field, keyed(one), keyed(other)).values()];
  if (isRecord(one) && isRecord(other)) {
    const fields = new Set([...Object.keys(one), ...Object.keys(other)]);
    return Object.fromEntries([...fields].map((name) => [name, sumOf(name, one[name], other[name])]));
  }
  return one;
}

function sumOfMaps(field: string, one: ReadonlyMap<unknown, unknown>, other: ReadonlyMap<unknown, unknown>) {
  const summed = new Map(one);
  for (const [key, value] of other) summed.set(key, sumOf(field, summed.get(key), value));
  return summed;
}

function withoutGauges(field: string, value: unknown, isGauge: boolean): unknown {
  const within = isGauge || GAUGES.has(field);
  if (typeof value === 'number') return within ? 0 : value;
  if (FLAGS_OF_THE_MOMENT.has(field)) return false;
  if (value instanceof Map)
    return new Map([...value].map(([key, each]) => [key, withoutGauges('', each, within)] as const));
  if (Array.isArray(value)) {
    return LISTS_OF_THE_MOMENT.has(field) ? [] : value.map((each) => withoutGauges('', each, within));
  }
  if (!isRecord(value) || value instanceof Float64Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withoutGauges(name, each, within)]));
}

function keyed(list: readonly unknown[]): ReadonlyMap<unknown, unknown> {
  return new Map(
    list.map((each, at) => {
      const key = isRecord(each) ? KEYS.find((name) => name in each) : undefined;
      return [isRecord(each) && key !== undefined ? each[key] : at, each] as const;
    }),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
