import type { Change } from '../../control/store/store.ts';
import type { Operation } from './history.ts';

interface Write {
  readonly key: string;
  readonly value: string | undefined;
  readonly revision: number;
  readonly calledAt: number;
  readonly answeredAt: number;
}

/** The writes that were acknowledged, but for deletes, which may have deleted nothing. */
function acknowledged(history: readonly Operation[]): readonly Write[] {
  return history.flatMap(({ key, action, answer, calledAt, answeredAt }) =>
    answer.type === 'written' && (action.type === 'put' || action.type === 'swap')
      ? [{ key, value: action.value, revision: answer.revision, calledAt, answeredAt }]
      : [],
  );
}

/** No revision is given twice, and a write that was called after another's answer has the greater one, whatever the keys. */
export function checkRevisions(history: readonly Operation[]): readonly string[] {
  const writes = [...acknowledged(history)].sort((one, other) => one.revision - other.revision);
  const findings: string[] = [];
  let latestCall = Number.NEGATIVE_INFINITY;
  for (const [index, write] of writes.entries()) {
    const before = writes[index - 1];
    if (before?.revision === write.revision)
      findings.push(`revision ${write.revision}: given to ${before.key} and ${write.key}`);
    if (write.answeredAt < latestCall) {
      findings.push(
        `revision ${write.revision} of ${write.key}: was answered before one with a lesser revision was called`,
      );
    }
    latestCall = Math.max(latestCall, write.calledAt);
  }
  return findings;
}

/** A watch from the beginning has every acknowledged write once, with its value, in the order of revisions. */
export function checkWatch(history: readonly Operation[], changes: readonly Change[]): readonly string[] {
  const findings: string[] = [];
  let last = 0;
  for (const { revision } of changes) {
    if (revision <= last) findings.push(`watch: revision ${revision} after ${last}`);
    last = revision;
  }
  const told = new Map(changes.map(({ revision, key, value }) => [revision, `${key}=${value}`]));
  for (const { key, value, revision } of acknowledged(history)) {
    if (told.get(revision) === `${key}=${value}`) continue;
    findings.push(
      `watch: revision ${revision} is ${told.get(revision) ?? 'missing'}, acknowledged was ${key}=${value}`,
    );
  }
  return findings;
}
