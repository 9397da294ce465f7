import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answers, Case } from './case.ts';
import { GATEWAY_API, KUBERNETES } from './oracle/versions.ts';

/** What the oracle answered to the cases of one file. */
export interface Recorded {
  readonly kubernetes: string;
  readonly gatewayApi: string;
  readonly cases: Readonly<Record<string, RecordedCase>>;
}

export interface RecordedCase {
  /** Of the calls that were put: when they are others now, the answers are to be recorded anew. */
  readonly calls: string;
  readonly answers: Answers;
}

const folder = join(import.meta.dirname, 'recorded');

export function readRecorded(group: string): Recorded {
  return JSON.parse(readFileSync(join(folder, `${group}.json`), 'utf8')) as Recorded;
}

/** Compact, with a line for each answer, so that a change of one shows as one. */
export function writeRecorded(group: string, cases: ReadonlyMap<string, RecordedCase>): void {
  const head = `"kubernetes":"${KUBERNETES}","gatewayApi":"${GATEWAY_API}"`;
  const entries = [...cases].map(([name, { calls, answers }]) => {
    const lines = answers.map((answer) => JSON.stringify(answer)).join(',\n');
    return `${JSON.stringify(name)}:{"calls":"${calls}","answers":[\n${lines}]}`;
  });
  writeFileSync(join(folder, `${group}.json`), `{${head},"cases":{\n${entries.join(',\n')}}}\n`);
}

export function digest({ calls }: Case): string {
  return createHash('sha256').update(JSON.stringify(calls)).digest('hex').slice(0, 16);
}
