import type { Event } from '../../api/kinds/event.ts';
import type { KubeObject } from '../../api/kinds/kind.ts';
import { humanDuration } from '../../api/meta/human-duration.ts';
import { renderTable } from '../output/table.ts';

// What the API server keeps for itself, or what `get -o yaml` shows better.
const HIDDEN_METADATA = ['managedFields', 'selfLink', 'name', 'namespace', 'generateName'];
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * An object as people read it: names first, fields indented under titles, lists of conditions and of events as tables. Pure, and
 * the same for every kind, so that a new kind is described from its first day.
 */
export function describeObject(object: KubeObject, events: readonly Event[], nowMs: number): string {
  const { apiVersion, kind, metadata, ...rest } = object as KubeObject & Record<string, unknown>;
  const lines = [pair('Name', metadata.name)];
  if (metadata.namespace !== undefined) lines.push(pair('Namespace', metadata.namespace));
  lines.push(pair('Kind', `${kind} (${apiVersion})`));
  for (const [name, value] of Object.entries(metadata)) {
    if (HIDDEN_METADATA.includes(name)) continue;
    lines.push(...field(name, name === 'annotations' ? withoutLastApplied(value) : value, 0));
  }
  for (const [name, value] of Object.entries(rest)) {
    lines.push(
      ...(kind === 'Secret' && (name === 'data' || name === 'stringData') ? secretData(value) : field(name, value, 0)),
    );
  }
  return `${lines.join('\n')}\n${eventsText(events, nowMs)}`;
}

function field(name: string, value: unknown, depth: number): string[] {
  if (value === undefined || value === null || isEmpty(value)) return [];
  const indent = '  '.repeat(depth);
  if (name === 'conditions' && Array.isArray(value))
    return [`${indent}Conditions:`, ...conditionsTable(value, depth + 1)];
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== 'object')) return [indent + pair(title(name), value.join(', '))];
    return [`${indent}${title(name)}:`, ...value.flatMap((item, at) => listItem(item, at, depth + 1))];
  }
  if (typeof value === 'object') {
    const entries = Object.entries(value);
    const labels =
      entries.every(([, inner]) => typeof inner === 'string') &&
      (name === 'labels' || name === 'annotations' || name === 'matchLabels');
    if (labels)
      return entries.map(
        ([key, inner], at) =>
          `${indent}${at === 0 ? `${title(name)}:` : ' '.repeat(name.length + 1)}  ${key}=${inner as string}`,
      );
    return [`${indent}${title(name)}:`, ...entries.flatMap(([key, inner]) => field(key, inner, depth + 1))];
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (!text.includes('\n')) return [indent + pair(title(name), text)];
  return [`${indent}${title(name)}:`, ...text.split('\n').map((line) => `${indent}  ${line}`)];
}

function listItem(item: unknown, at: number, depth: number): string[] {
  if (typeof item !== 'object' || item === null) return [`${'  '.repeat(depth)}- ${String(item)}`];
  const lines = Object.entries(item).flatMap(([key, inner]) => field(key, inner, depth + 1));
  const named = (item as { name?: unknown }).name;
  return [`${'  '.repeat(depth)}${typeof named === 'string' ? named : `#${at}`}:`, ...lines];
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
    ...Object.entries(value).map(([key, inner]) => `  ${key}:  ${Buffer.from(String(inner), 'base64').length} bytes`),
  ];
}

function eventsText(events: readonly Event[], nowMs: number): string {
  if (events.length === 0) return 'Events:  <none>\n';
  const rows = events
    .map((event) => ({
      event,
      at: Date.parse(event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp),
    }))
    .sort((one, other) => one.at - other.at)
    .map(({ event, at }) => [
      event.type ?? '',
      event.reason ?? '',
      `${humanDuration(nowMs - at)}${(event.count ?? 1) > 1 ? ` (x${event.count})` : ''}`,
      event.source?.component ?? event.reportingComponent ?? '',
      (event.message ?? '').trim(),
    ]);
  const table = renderTable(['TYPE', 'REASON', 'AGE', 'FROM', 'MESSAGE'], rows);
  return `Events:\n${table.replace(/^/gm, '  ').trimEnd()}\n`;
}

function pair(name: string, value: string): string {
  return `${name}:${' '.repeat(Math.max(1, 14 - name.length))}${value}`;
}

/** `readyReplicas` → `Ready Replicas`. */
function title(name: string): string {
  const words = name.replace(/([a-z\d])([A-Z])/g, '$1 $2');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function withoutLastApplied(annotations: unknown): unknown {
  if (typeof annotations !== 'object' || annotations === null) return annotations;
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== LAST_APPLIED));
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
