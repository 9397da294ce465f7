// Prints what each kind of hostile client costs: node test/hostile/pressure/main.ts [--clients 10000] [--seconds 10] [--only TEXT]
import { parseArgs } from 'node:util';
import { ATTACKS } from './attacks.ts';
import { measure, sentence } from './measure.ts';

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '10' },
    only: { type: 'string', default: '' },
  },
});
// Shorter than the default of a minute, so that clients are thrown out within the time.
const pace = { forMs: Number(values.seconds) * 1000, headerTimeoutMs: 10_000 };
for (const attack of ATTACKS.filter(({ name }) => name.includes(values.only))) {
  process.stdout.write(`${sentence(await measure(attack, Number(values.clients), pace))}\n`);
}
