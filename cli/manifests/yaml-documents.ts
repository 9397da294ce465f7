import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type ScalarTag,
  visit,
  type YAMLError,
} from 'yaml';
import type { ManifestProblem } from './problem.ts';

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface ReadDocument {
  readonly index: number;
  /** Undefined for an empty document and for one with problems. */
  readonly value: unknown;
  readonly problems: readonly ManifestProblem[];
  readonly locate: (path: readonly (string | number)[]) => Place;
}

// An anchor used more often than this is an attempt to make a small file large ("billion laughs").
const MOST_ALIASES = 100;
// Kubernetes' own objects are at most some twenty levels deep.
const DEEPEST = 64;
const TOO_DEEP = `nested more than ${DEEPEST} levels deep`;

/** What the parser's own recursion says when the nesting has used up the stack. */
const STACK_IS_FULL = 'Maximum call stack size exceeded';

/**
 * `0644` is 420: manifests are written for Kubernetes, whose reader (sigs.k8s.io/yaml) takes YAML 1.1's octal numbers. YAML
 * 1.2, by which all else is read, would make it 644, and of a file's mode something that nobody meant.
 */
const OCTAL: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  identify: () => false,
  default: true,
  test: /^[-+]?0[0-7]+$/,
  resolve: (text) => Number.parseInt(text, 8),
};

/** The YAML (or JSON) documents of a file with the place of every field. Never throws for what the file says. */
export function readDocuments(file: string, content: string): ReadDocument[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(content, {
    lineCounter: lines,
    uniqueKeys: true,
    prettyErrors: false,
    version: '1.2',
    customTags: (tags) => [OCTAL, ...tags],
  });
  const documents: readonly Document.Parsed[] = Array.isArray(parsed) ? parsed : [];
  return documents.map((document, index) => {
    const placeAt = (offset: number): Place => {
      const { line, col } = lines.linePos(offset);
      return { line: Math.max(1, line), column: Math.max(1, col) };
    };
    const locate = (path: readonly (string | number)[]): Place => placeAt(offsetOf(document, path));
    const problem = (place: Place, message: string): ManifestProblem => ({
      severity: 'error',
      file,
      document: index,
      ...place,
      subject: undefined,
      message,
    });
    const problems = document.errors.map((error: YAMLError) =>
      problem(placeAt(error.pos[0]), messageOf(error, content)),
    );
    if (problems.length === 0) {
      for (const { source, offset } of unresolvedAliases(document))
        problems.push(problem(placeAt(offset), `alias "*${source}": no anchor "&${source}" stands before it`));
    }
    if (problems.length > 0) return { index, value: undefined, problems, locate };
    const start = placeAt(document.contents?.range[0] ?? 0);
    if (depthOf(document.contents, 0) > DEEPEST) {
      return { index, value: undefined, problems: [problem(start, TOO_DEEP)], locate };
    }
    try {
      return { index, value: document.toJS({ maxAliasCount: MOST_ALIASES }) ?? undefined, problems, locate };
    } catch (error) {
      return { index, value: undefined, problems: [problem(start, (error as Error).message)], locate };
    }
  });
}

function messageOf({ code, message, pos }: YAMLError, content: string): string {
  if (message === STACK_IS_FULL) return TOO_DEEP;
  if (code !== 'DUPLICATE_KEY') return `not valid YAML: ${message}`;
  const key = /^[^\s:]+/.exec(content.slice(pos[0], pos[0] + 200))?.[0] ?? '';
  return `field "${key}" stands here twice`;
}

function unresolvedAliases(document: Document.Parsed): { readonly source: string; readonly offset: number }[] {
  const found: { source: string; offset: number }[] = [];
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) === undefined) found.push({ source: alias.source, offset: alias.range?.[0] ?? 0 });
    },
  });
  return found;
}

/** Where the field's name stands; for a list's item, where the item begins; for what is missing, where its parent begins. */
function offsetOf(document: Document.Parsed, path: readonly (string | number)[]): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return offset;
      offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      node = pair.value;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(step)];
      if (!isNode(item)) return offset;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else return offset;
  }
  return offset;
}

function depthOf(node: unknown, depth: number): number {
  if (depth > DEEPEST || !isCollection(node)) return depth;
  const inner = node.items.map((item) => (isNode(item) ? item : (item as { value?: unknown }).value));
  return inner.reduce<number>((deepest, each) => Math.max(deepest, depthOf(each, depth + 1)), depth);
}
