// Runs the properties of the proxy's parsers for as long as it is told, each case with a seed of its own:
//   node test/hostile/parsers/fuzz.ts [--seconds 60] [--seed N] [--only TEXT]
// Ends with 1 at the first case that fails, with what reproduces it; such a case becomes a row of the tables or a test beside the parser.
import { parseArgs } from 'node:util';
import { PROPERTIES } from './properties.ts';
import { describeFailure, firstFailure } from './property.ts';

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
if (chosen.length === 0) throw new Error(`no property's name holds "${values.only}"`);
const started = performance.now();
const until = started + Number(values.seconds) * 1000;
let cases = 0;
process.stdout.write(`fuzz: seed ${first}, ${chosen.length} properties, ${values.seconds} s\n`);
for (let seed = first; performance.now() < until && process.exitCode === undefined; seed += ROUND) {
  for (const property of chosen) {
    const failure = firstFailure(property, seed, ROUND);
    cases += failure === undefined ? ROUND : failure.seed - seed + 1;
    if (failure === undefined) continue;
    process.stdout.write(`fuzz: failed: ${describeFailure(property, failure)}\n`);
    process.exitCode = 1;
  }
}
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`fuzz: ${cases} cases in ${seconds.toFixed(0)} s, ${Math.round(cases / seconds)} a second\n`);
