import type { Answers, Case } from './case.ts';

/*
 * What two servers cannot agree on is given a name: uids and versions are numbered by where they first appear, so that
 * the same one twice stays the same; times of now, generated names, addresses and ports are only said to be one. A field that
 * is null is taken out: to every client of Kubernetes null and missing are one (encoding/json); so is an empty `continue`. Causes of a Status are sorted,
 * and told in that order in its message: Kubernetes finds many of them by walking Go's maps, which have no order.
 */

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
const NEAR_MS = 3_600_000;
const ADDRESS = /\b127\.(?:9[6-9]|10\d|11[01])\.\d{1,3}\.\d{1,3}\b/g;
const AGE = /^(?:\d+[smhdy])+$/;
/** A line of Go's sources that a message ends with. */
const SOURCE_LINE = / in scheme "pkg\/runtime\/scheme\.go:\d+"/g;

/** Answers with names in place of what differs from run to run. `nowMs` is about when they came. */
export function normalize(
  { calls, managedFields }: Pick<Case, 'calls' | 'managedFields'>,
  answers: Answers,
  nowMs: number,
): Answers {
  const said = JSON.stringify(calls);
  const left = managedFields === true ? [] : ['managedFields'];
  const names: Names = {
    said,
    left,
    nowMs,
    uids: new Map(),
    versions: new Map(),
    generated: new Map(),
    answer: 0,
    fresh: 0,
  };
  return answers.map((answer, index) => {
    names.answer = index;
    names.fresh = 0;
    return walk(answer, '', names) as Answers[number];
  });
}

interface Names {
  /** All that the case itself says: what is in it is not made up by a server. */
  readonly said: string;
  readonly nowMs: number;
  /** Fields that are left out. */
  readonly left: readonly string[];
  readonly uids: Map<string, string>;
  readonly versions: Map<string, string>;
  readonly generated: Map<string, string>;
  /** The answer that is looked at, and how many names it has brought. */
  answer: number;
  fresh: number;
}

type Fields = Readonly<Record<string, unknown>>;

function walk(value: unknown, key: string, names: Names): unknown {
  if (typeof value === 'string') return text(value, key, names);
  if (key === 'nodePort' && typeof value === 'number' && !names.said.includes(String(value))) return '<port>';
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => (isAge(item, key) ? '<age>' : walk(item, key, names)));
    if (key === 'managedFields') return items.toSorted((left, right) => (ownerOf(left) < ownerOf(right) ? -1 : 1));
    return key === 'resources' ? items.toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1)) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const fields = withSortedCauses(value as Fields);
  noteGenerated(fields, names);
  return Object.fromEntries(
    Object.keys(fields)
      .sort()
      .filter(
        (name) => !names.left.includes(name) && fields[name] !== null && !(name === 'continue' && fields[name] === ''),
      )
      .map((name) => [
        name,
        name === 'metadata' && isOfStore(fields)
          ? listMetadata(fields[name] as Fields, names)
          : walk(fields[name], name, names),
      ]),
  );
}

/** Entries of managedFields stand in the order of their times, which are of seconds. */
function ownerOf(entry: unknown): string {
  const { manager, operation, subresource } = entry as Readonly<Record<string, string | undefined>>;
  return JSON.stringify([manager, operation, subresource]);
}

/** Discovery's resources: those of CustomResourceDefinitions come in no order. */
function nameOf(resource: unknown): string {
  const { name, resource: plural } = resource as { readonly name?: string; readonly resource?: string };
  return name ?? plural ?? '';
}

function isAge(item: unknown, key: string): boolean {
  return key === 'cells' && typeof item === 'string' && AGE.test(item);
}

interface Cause {
  readonly field?: string;
  readonly message?: string;
}

function withSortedCauses(status: Fields): Fields {
  const { message, details } = status;
  const { causes } = (details ?? {}) as { readonly causes?: readonly Cause[] };
  if (typeof message !== 'string' || !Array.isArray(causes) || causes.length < 2) return status;
  const line = ({ field = '', message: words = '' }: Cause): string => (field === '' ? words : `${field}: ${words}`);
  const sorted = causes.toSorted((left, right) => (line(left) < line(right) ? -1 : 1));
  // Kubernetes tells twice the same only once (Aggregate.Error), but lists it twice.
  const told = (list: readonly Cause[]): string => `[${[...new Set(list.map(line))].join(', ')}]`;
  return {
    ...status,
    message: message.replace(told(causes), () => told(sorted)),
    details: { ...(details as object), causes: sorted },
  };
}

/** A list, a table or a bookmark: its version is the whole store's, in which others write too. */
function isOfStore({ items, rows, metadata }: Fields): boolean {
  if (typeof metadata !== 'object' || metadata === null || !('resourceVersion' in metadata)) return false;
  return Array.isArray(items) || Array.isArray(rows) || !('uid' in metadata || 'name' in metadata);
}

function listMetadata(metadata: Fields, names: Names): unknown {
  const others = walk({ ...metadata, resourceVersion: '' }, 'metadata', names) as Fields;
  return { ...others, resourceVersion: '<version>' };
}

function noteGenerated({ generateName, name }: Fields, { generated }: Names): void {
  if (typeof generateName === 'string' && typeof name === 'string' && name.startsWith(generateName)) {
    generated.set(name, `${generateName}<suffix>`);
  }
}

function text(value: string, key: string, names: Names): string {
  if (key === 'resourceVersion') return numbered(names.versions, value, names, 'version');
  if (key === 'continue') return '<continue>';
  if (key === 'serverAddress') return '<server>';
  const generated = [...names.generated].find(([name]) => value.includes(name));
  const named = generated === undefined ? value : value.replaceAll(generated[0], generated[1]);
  const plain = named
    .replaceAll(UUID, (uid) => numbered(names.uids, uid, names, 'uid'))
    .replaceAll(TIME, (time) => (Math.abs(Date.parse(time) - names.nowMs) < NEAR_MS ? '<time>' : time))
    .replaceAll(SOURCE_LINE, '')
    .replaceAll(ADDRESS, (address) => (names.said.includes(address) ? address : '<address>'));
  return /resource ?version/i.test(plain)
    ? plain.replaceAll(
        /\b\d+\b/g,
        (digits) => names.versions.get(digits) ?? (names.said.includes(digits) ? digits : '<version>'),
      )
    : plain;
}

/** By the answer that it first came in: a call that is answered otherwise does not shift all that follow. */
function numbered(known: Map<string, string>, value: string, names: Names, word: string): string {
  if (value === '' || names.said.includes(`"${value}"`)) return value;
  const seen = known.get(value);
  if (seen !== undefined) return seen;
  names.fresh += 1;
  const name = `<${word} ${names.answer}.${names.fresh}>`;
  known.set(value, name);
  return name;
}
