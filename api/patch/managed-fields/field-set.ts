import { isObject } from '../json.ts';
import { canonicalElement, compareElements, elementText, type PathElement } from './path-element.ts';

/**
 * A set of fields in its wire form, fieldsV1 (structured-merge-diff's fieldpath/serialize.go): a tree by path element. An
 * element with nothing below it is in the set; one with something below it is only when it has `.` as well. The empty set
 * is `{}`. Sets are shared and never changed.
 */
export interface FieldSet {
  readonly [element: PathElement]: FieldSet;
}

export type Path = readonly PathElement[];

export const NO_FIELDS: FieldSet = Object.freeze({});

const SELF = '.';

export function isEmptySet(set: FieldSet): boolean {
  for (const element in set) if (element !== SELF) return false;
  return true;
}

/** Whether the node below an element says that the element itself is in the set. */
export function isMember(node: FieldSet): boolean {
  return SELF in node || isEmptySet(node);
}

interface NodeParts {
  readonly member: boolean;
  readonly below: FieldSet;
}

/** The node of an element; undefined when neither it nor anything below is in the set. */
export function nodeOf({ member, below }: NodeParts): FieldSet | undefined {
  if (isEmptySet(below)) return member ? NO_FIELDS : undefined;
  if (member === SELF in below) return below;
  if (member) return { [SELF]: NO_FIELDS, ...below };
  const { [SELF]: _self, ...rest } = below;
  return rest;
}

export function setOf(...paths: readonly Path[]): FieldSet {
  return paths.map(chain).reduce(union, NO_FIELDS);
}

function chain([element, ...rest]: Path): FieldSet {
  return element === undefined ? NO_FIELDS : { [element]: rest.length === 0 ? NO_FIELDS : chain(rest) };
}

export function union(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right || isEmptySet(right)) return left;
  if (isEmptySet(left)) return right;
  const joined: Record<PathElement, FieldSet> = {};
  for (const [element, node] of below(left)) {
    const other = right[element];
    joined[element] =
      other === undefined
        ? node
        : (nodeOf({ member: isMember(node) || isMember(other), below: union(node, other) }) ?? NO_FIELDS);
  }
  for (const [element, node] of below(right)) joined[element] ??= node;
  return joined;
}

export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  return filtered(left, (node, element) => {
    const other = right[element];
    if (other === undefined) return undefined;
    return nodeOf({ member: isMember(node) && isMember(other), below: intersection(node, other) });
  });
}

/** What is in `left` and not in `right`, each path by itself: a parent in `right` takes no child out of `left`. */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmptySet(right)) return left;
  return filtered(left, (node, element) => {
    const other = right[element];
    if (other === undefined) return node;
    return nodeOf({ member: isMember(node) && !isMember(other), below: difference(node, other) });
  });
}

/** As {@link difference}, but what is in `right` goes with all that is below it. */
export function recursiveDifference(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmptySet(right)) return left;
  return filtered(left, (node, element) => {
    const other = right[element];
    if (other === undefined) return node;
    if (isMember(other)) return undefined;
    return nodeOf({ member: isMember(node), below: recursiveDifference(node, other) });
  });
}

export function hasPath(set: FieldSet, path: Path): boolean {
  let node: FieldSet | undefined = set;
  for (const element of path) {
    node = node[element];
    if (node === undefined) return false;
  }
  return path.length > 0 && isMember(node);
}

/** Every path of the set: at each level first those that end there, then what is below (Set.Iterate). */
export function pathsOf(set: FieldSet): readonly Path[] {
  const entries = below(set).sort(([left], [right]) => compareElements(left, right));
  return [
    ...entries.filter(([, node]) => isMember(node)).map(([element]) => [element]),
    ...entries.flatMap(([element, node]) => pathsOf(node).map((rest) => [element, ...rest])),
  ];
}

/** `.spec.containers[name="app"].image` */
export function pathText(path: Path): string {
  return path.map(elementText).join('');
}

/** The same set with its elements in order at every level, as Kubernetes writes it. */
export function inOrder(set: FieldSet): FieldSet {
  const entries = below(set);
  if (entries.length === 0) return NO_FIELDS;
  if (entries.length > 1) entries.sort(([left], [right]) => compareElements(left, right));
  const ordered: Record<PathElement, FieldSet> = {};
  if (SELF in set) ordered[SELF] = NO_FIELDS;
  for (const [element, node] of entries) ordered[element] = inOrder(node);
  return ordered;
}

export function sameSet(left: FieldSet, right: FieldSet): boolean {
  if (left === right) return true;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => {
      const [mine, other] = [left[name], right[name]];
      return mine !== undefined && other !== undefined && sameSet(mine, other);
    })
  );
}

/** A set as a client wrote it, in the one form that equal sets share. Throws SyntaxError for what is no set. */
export function readSet(json: unknown): FieldSet {
  if (!isObject(json)) throw new SyntaxError('fieldsV1: an object was wanted');
  const read = new Map<PathElement, FieldSet>();
  for (const [text, child] of Object.entries(json)) {
    const element = text === SELF ? SELF : canonicalElement(text);
    if (element === undefined) continue;
    const node = element === SELF ? NO_FIELDS : readSet(child);
    const known = read.get(element);
    read.set(
      element,
      known === undefined
        ? node
        : (nodeOf({ member: isMember(known) || isMember(node), below: union(known, node) }) ?? NO_FIELDS),
    );
  }
  return inOrder(Object.fromEntries(read));
}

export function below(set: FieldSet): [PathElement, FieldSet][] {
  return Object.entries(set).filter(([element]) => element !== SELF);
}

function filtered(set: FieldSet, keep: (node: FieldSet, element: PathElement) => FieldSet | undefined): FieldSet {
  let changed = false;
  const kept: Record<PathElement, FieldSet> = {};
  for (const [element, node] of below(set)) {
    const left = keep(node, element);
    if (left !== undefined) kept[element] = left;
    changed ||= left !== node;
  }
  return changed || SELF in set ? kept : set;
}
