// Plays random scenarios with Kubernetes' field manager and with ours, and shows where they differ:
//
//     node api/patch/managed-fields/reference/compare.ts COUNT [SEED]     needs Go and its module proxy
//     node api/patch/managed-fields/reference/compare.ts --record         writes recorded.json.gz anew
//
// REFERENCE names a program that is built already; `go run .` unless told.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { kindOf } from '../../../kinds/registry.ts';
import { type Answer, comparable, play } from './play.ts';
import { type Scenario, scenarios } from './scenarios.ts';

const RECORDED = 200;
const RECORDED_SEED = 20_300_101;

const [first = '1000', seedText] = process.argv.slice(2);
const record = first === '--record';
const count = record ? RECORDED : Number(first);
const seed = record ? RECORDED_SEED : Number(seedText ?? Date.now() % 1_000_000);
// Through JSON: what the generator makes has no prototypes.
const given = JSON.parse(JSON.stringify(fc.sample(scenarios, { numRuns: count, seed }))) as readonly Scenario[];
const answers = theirs(given);

if (record) {
  const text = JSON.stringify(given.map((scenario, index) => ({ scenario, answers: answers[index]?.map(comparable) })));
  writeFileSync(join(import.meta.dirname, 'recorded.json.gz'), gzipSync(text, { level: 9 }));
  process.stdout.write(`recorded ${count} scenarios\n`);
} else {
  const different = given.filter((scenario, index) => differs(scenario, answers[index] ?? []));
  process.stdout.write(`seed ${seed}: ${count} scenarios, ${different.length} different\n`);
  if (different.length > 0) process.exitCode = 1;
}

function theirs(asked: readonly Scenario[]): readonly (readonly Answer[])[] {
  const [command = 'go', ...args] = process.env['REFERENCE']?.split(' ') ?? ['go', 'run', '.'];
  const { stdout, stderr, status } = spawnSync(command, args, {
    cwd: import.meta.dirname,
    input: JSON.stringify(asked),
    maxBuffer: 1024 ** 3,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`reference: exit ${status}\n${stderr}`);
  return (JSON.parse(stdout) as (readonly Partial<Answer>[])[]).map((steps) =>
    steps.map(({ object = {}, error = '' }) => ({ object, error })),
  );
}

function differs(scenario: Scenario, answered: readonly Answer[]): boolean {
  const kind = kindOf(scenario.apiVersion, scenario.kind);
  if (kind === undefined) throw new Error(`no such kind: ${scenario.kind}`);
  const ours = play(scenario, kind.schema);
  const at = ours.findIndex((answer, index) => {
    const other = answered[index];
    return other === undefined || !isDeepStrictEqual(comparable(answer), comparable(other));
  });
  if (at < 0) return false;
  const show = (value: unknown): string => JSON.stringify(value, null, 1);
  const other = answered[at];
  process.stdout.write(
    `step ${at} of ${show(scenario.steps.slice(0, at + 1))}\nours ${show(ours[at] && comparable(ours[at]))}\ntheirs ${show(other && comparable(other))}\n\n`,
  );
  return true;
}
