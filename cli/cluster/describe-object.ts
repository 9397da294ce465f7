import type { Event } from '../../api/kinds/event.ts';
import type { KubeObject } from '../../api/kinds/kind.ts';
import { humanDuration } from '../../api/meta/human-duration.ts';
import { renderTable } from '../output/table.ts';
import { inOrder, lastSeenMs } from './event-order.ts';

// What the API server keeps for itself, or what `get -o yaml` shows better.
const SHOWN_FIRST = ['name', 'namespace', 'labels', 'annotations', 'creationTimestamp', 'ownerReferences'];
const HIDDEN_METADATA = ['managedFields', 'selfLink', 'generateName', 'uid', 'resourceVersion', 'generation'];
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
// Their keys are the user's own words, not fields: they stay as they are.
const PLAIN_MAPS = ['data', 'stringData', 'requests', 'limits', 'capacity', 'allocatable'];
const LABEL_MAPS = ['labels', 'annotations', 'matchLabels', 'selector', 'nodeSelector'];

/**
 * An object as people read it: names first, fields indented under titles, lists of conditions and of events as tables. Pure, and
 * the same for every kind, so that a new kind is described from its first day.
 */
export function describeObject(object: KubeObject, events: readonly Event[], nowMs: number): string {
  const { apiVersion, kind, metadata, ...rest } = object as KubeObject & Record<string, unknown>;
  const { name, namespace, labels, annotations, creationTimestamp, ownerReferences } = metadata;
  const owner = ownerReferences?.find(({ controller }) => controller === true);
  const lines = fields(
    [
      ['name', name],
      ['namespace', namespace],
      ['kind', `${kind} (${apiVersion})`],
      ['created', age(creationTimestamp, nowMs)],
      ['controlledBy', owner === undefined ? undefined : `${owner.kind}/${owner.name}`],
      ['labels', labels],
      ['annotations', forPeople(annotations)],
      ...Object.entries(metadata).filter(([key]) => !SHOWN_FIRST.includes(key) && !HIDDEN_METADATA.includes(key)),
    ],
    0,
  );
  for (const [key, value] of Object.entries(rest)) {
    if (saysNothing(value)) continue;
    lines.push(
      ...(kind === 'Secret' && (key === 'data' || key === 'stringData')
        ? secretData(value)
        : fields([[key, value]], 0)),
    );
  }
  return `${lines.join('\n')}\n${eventsText(events, nowMs)}`;
}

type Entry = readonly [name: string, value: unknown];

// Names and values stand two apart, and values under each other, from this column on.
const LEAST_COLUMN = 15;

/** Siblings: their values stand under each other. */
function fields(entries: readonly Entry[], depth: number): string[] {
  const shown = entries.filter(([, value]) => value !== undefined && value !== null && value !== '' && !isEmpty(value));
  const titled = shown.map(([name, value]) => [title(name), name, value] as const);
  const column = Math.max(LEAST_COLUMN, ...titled.map(([text, , value]) => (isLine(value) ? text.length + 3 : 0)));
  return titled.flatMap(([text, name, value]) => field(text, name, value, { depth, column }));
}

interface Place {
  readonly depth: number;
  readonly column: number;
}

function field(text: string, name: string, value: unknown, { depth, column }: Place): string[] {
  const indent = '  '.repeat(depth);
  const head = `${indent}${text}:`;
  if (name === 'conditions' && Array.isArray(value)) return [head, ...conditionsTable(value, depth + 1)];
  if (LABEL_MAPS.includes(name) && isTextMap(value)) {
    const labels = Object.entries(value).map(([key, inner]) => `${key}=${inner}`);
    return labels.map((label, at) => (at === 0 ? head : indent).padEnd(depth * 2 + column) + label);
  }
  if (PLAIN_MAPS.includes(name) && isTextMap(value)) return [head, ...plainMap(value, depth + 1)];
  if (Array.isArray(value)) {
    if (isLine(value)) return [head.padEnd(depth * 2 + column) + value.join(', ')];
    return [head, ...value.flatMap((item, at) => listItem(item, at, depth + 1))];
  }
  if (typeof value === 'object' && value !== null) return [head, ...fields(Object.entries(value), depth + 1)];
  return scalar(head, typeof value === 'string' ? value : JSON.stringify(value), { depth, column });
}

function plainMap(map: Readonly<Record<string, string>>, depth: number): string[] {
  const column = Math.max(LEAST_COLUMN, ...Object.keys(map).map((key) => key.length + 3));
  return Object.entries(map).flatMap(([key, value]) =>
    scalar(`${'  '.repeat(depth)}${key}:`, value, { depth, column }),
  );
}

function scalar(head: string, text: string, { depth, column }: Place): string[] {
  if (!text.includes('\n')) return [head.padEnd(depth * 2 + column) + text];
  const lines = text.replace(/\n$/, '').split('\n');
  return [head, ...lines.map((line) => `${'  '.repeat(depth + 1)}${line}`)];
}

function listItem(item: unknown, at: number, depth: number): string[] {
  if (typeof item !== 'object' || item === null) return [`${'  '.repeat(depth)}- ${String(item)}`];
  const { name } = item as { name?: unknown };
  const rest = Object.entries(item).filter(([key]) => key !== 'name' || typeof name !== 'string');
  return [`${'  '.repeat(depth)}${typeof name === 'string' ? name : `#${at + 1}`}:`, ...fields(rest, depth + 1)];
}

/** Whether it is shown on one line. */
function isLine(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item !== 'object');
  return typeof value !== 'object';
}

function isTextMap(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((inner) => typeof inner === 'string')
  );
}

function age(created: string, nowMs: number): string {
  return `${created} (${humanDuration(nowMs - Date.parse(created))} ago)`;
}

function conditionsTable(conditions: readonly unknown[], depth: number): string[] {
  const rows = (conditions as Record<string, unknown>[]).map(({ type, status, reason, message }) =>
    [type, status, reason, message].map((cell) =>
      cell === undefined || cell === null || cell === '' ? '-' : (cell as string),
    ),
  );
  return renderTable(['TYPE', 'STATUS', 'REASON', 'MESSAGE'], rows)
    .trimEnd()
    .split('\n')
    .map((line) => '  '.repeat(depth) + line);
}

function secretData(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return [
    'Data:',
    ...plainMap(
      Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [key, `${Buffer.from(String(inner), 'base64').length} bytes`]),
      ),
      1,
    ),
  ];
}

function eventsText(events: readonly Event[], nowMs: number): string {
  if (events.length === 0) return 'Events:  <none>\n';
  const rows = inOrder(events).map((event) => [
    event.type ?? '',
    event.reason ?? '',
    `${humanDuration(nowMs - lastSeenMs(event))}${(event.count ?? 1) > 1 ? ` (x${event.count})` : ''}`,
    event.source?.component ?? event.reportingComponent ?? '',
    (event.message ?? '').trim(),
  ]);
  const table = renderTable(['TYPE', 'REASON', 'AGE', 'FROM', 'MESSAGE'], rows);
  return `Events:\n${table.replace(/^/gm, '  ').trimEnd()}\n`;
}

/** `readyReplicas` → `Ready Replicas`. */
function title(name: string): string {
  const words = name.replace(/([a-z\d])([A-Z])/g, '$1 $2').replace(/([A-Z])([A-Z][a-z]{2})/g, '$1 $2');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** As kubectl does (maxAnnotationLen): what is longer was not written for people; `get -o yaml` has it whole. */
const LONGEST_ANNOTATION = 140;

function forPeople(annotations: unknown): unknown {
  if (typeof annotations !== 'object' || annotations === null) return annotations;
  const shown = Object.entries(annotations).filter(([name]) => name !== LAST_APPLIED);
  return Object.fromEntries(
    shown.map(([name, value]) => [
      name,
      String(value).length > LONGEST_ANNOTATION ? `${String(value).slice(0, LONGEST_ANNOTATION - 3)}...` : value,
    ]),
  );
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** Empty, or full of what is empty: a status that nobody has written. */
function saysNothing(value: unknown): boolean {
  return isEmpty(value) || (isObject(value) && Object.values(value).every(saysNothing));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
