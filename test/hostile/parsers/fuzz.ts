// Runs the properties of HTTP/1's parsers for as long as it is told, each round with a seed of its own:
//   node test/hostile/parsers/fuzz.ts [--seconds 60] [--seed N] [--only TEXT]
// Ends with 1 at the first case that fails, with what reproduces it; such a case becomes a row of the tables.
import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { PROPERTIES } from './properties.ts';

const ROUND = 5000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});
const first = Number(values.seed ?? Date.now() % 2 ** 31);
const chosen = PROPERTIES.filter(({ name }) => name.includes(values.only));
const until = performance.now() + Number(values.seconds) * 1000;
const started = performance.now();
let cases = 0;
process.stdout.write(`fuzz: seed ${first}, ${chosen.length} properties, ${values.seconds} s\n`);
for (let seed = first; performance.now() < until && process.exitCode === undefined; seed++) {
  for (const { name, property } of chosen) {
    const outcome = fc.check(property, { numRuns: ROUND, seed });
    cases += outcome.numRuns;
    if (!outcome.failed) continue;
    process.stdout.write(
      `fuzz: failed: ${name}\n  --seed ${seed}, path ${outcome.counterexamplePath ?? ''}\n  case ${JSON.stringify(outcome.counterexample)}\n  ${String(outcome.errorInstance)}\n`,
    );
    process.exitCode = 1;
  }
}
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`fuzz: ${cases} cases in ${seconds.toFixed(0)} s, ${Math.round(cases / seconds)} a second\n`);
