import { parseArgs } from 'node:util';
import { dns } from './dns.ts';
import { http1 } from './http1.ts';
import { grpc, http2 } from './http2.ts';
import { table, write } from './result.ts';
import { xds } from './xds.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    'round-ms': { type: 'string', default: '3000' },
    connections: { type: 'string', default: '64' },
    clients: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '10' },
  },
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Servers next to each other, each on a core of its own. */
async function beside(scenario: typeof http1 | typeof dns | typeof grpc): Promise<string> {
  const result = await scenario({
    rounds: Number(values.rounds ?? 5),
    roundMs: Number(values['round-ms']),
    connections: Number(values.connections),
    say,
  });
  return `${table(result)}\nwritten to ${write(result)}\n`;
}

const SCENARIOS: Readonly<Record<string, () => Promise<string>>> = {
  dns: () => beside(dns),
  grpc: () => beside(grpc),
  http1: () => beside(http1),
  http2: () => beside(http2),
  xds: () =>
    xds({ clients: Number(values.clients), seconds: Number(values.seconds), rounds: Number(values.rounds ?? 3), say }),
};

const [name = ''] = positionals;
const scenario = Object.hasOwn(SCENARIOS, name) ? SCENARIOS[name] : undefined;
if (scenario === undefined) {
  say(
    'usage: npm run bench -- dns|grpc|http1|http2 [--rounds 5] [--round-ms 3000] [--connections 64]\n       npm run bench -- xds [--rounds 3] [--clients 500] [--seconds 10]',
  );
  process.exitCode = 2;
} else {
  process.stdout.write(`\n${await scenario()}`);
}
