import { parseArgs } from 'node:util';
import { dns } from './dns.ts';
import { http1 } from './http1.ts';
import { table, write } from './result.ts';

const SCENARIOS = { dns, http1 } as const;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    'round-ms': { type: 'string', default: '3000' },
    connections: { type: 'string', default: '64' },
  },
});

const [name] = positionals;
const scenario = name === undefined ? undefined : Object.entries(SCENARIOS).find(([known]) => known === name)?.[1];
if (scenario === undefined) {
  process.stderr.write(
    `usage: npm run bench -- ${Object.keys(SCENARIOS).join('|')} [--rounds 5] [--round-ms 3000] [--connections 64]\n`,
  );
  process.exitCode = 2;
} else {
  const result = await scenario({
    rounds: Number(values.rounds),
    roundMs: Number(values['round-ms']),
    connections: Number(values.connections),
    say: (line) => void process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`\n${table(result)}\nwritten to ${write(result)}\n`);
}
