import { parseArgs } from 'node:util';
import { runMicros } from './micro/main.ts';
import { MICROS } from './micro/micros.ts';
import { PEERS } from './peers/peers.ts';
import { write } from './result.ts';
import type { Options } from './scenario.ts';
import { SCENARIOS, scenariosNamed } from './scenarios.ts';

const USAGE = `usage: npm run bench -- [SCENARIO...] [--rounds 5] [--round-ms 3000] [--connections 64]
                        [--peers nginx,haproxy] [-o text|json] [--list]
       npm run bench -- micro [NAME...] [-o text|json] [--list]
Without a name all run, one after the other. xds takes [--clients 500] [--seconds 10] [--profile FILE.cpuprofile].
`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    'round-ms': { type: 'string', default: '3000' },
    connections: { type: 'string', default: '64' },
    clients: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '10' },
    profile: { type: 'string' },
    peers: { type: 'string' },
    output: { type: 'string', short: 'o', default: 'text' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function whole(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${flag} "${text}": a whole number above 0 is wanted`);
  return value;
}

function peersOf(text: string | undefined): readonly string[] | undefined {
  const names = text?.split(',');
  const unknown = names?.find((name) => !Object.hasOwn(PEERS, name));
  if (unknown !== undefined) throw new Error(`--peers "${unknown}": is none of ${Object.keys(PEERS).join(', ')}`);
  return names;
}

const [first, ...names] = positionals;
const micro = first === 'micro';

function outputOf(text: string): 'text' | 'json' {
  if (text === 'text' || text === 'json') return text;
  throw new Error(`-o "${text}": text or json is wanted`);
}

async function run(): Promise<void> {
  const output = outputOf(values.output);
  if (micro) {
    await runMicros(names, output);
    return;
  }
  const unknown = positionals.find((name) => scenariosNamed(name).length === 0);
  if (unknown !== undefined) throw new Error(`scenario "${unknown}": is not known; --list shows those that are`);
  const wanted = positionals.length === 0 ? SCENARIOS : positionals.flatMap(scenariosNamed);
  const options: Options = {
    rounds: values.rounds === undefined ? undefined : whole('rounds', values.rounds),
    roundMs: whole('round-ms', values['round-ms']),
    connections: whole('connections', values.connections),
    clients: whole('clients', values.clients),
    seconds: whole('seconds', values.seconds),
    profile: values.profile,
    peers: peersOf(values.peers),
    say,
  };
  for (const [at, scenario] of wanted.entries()) {
    say(`${at + 1}/${wanted.length} ${scenario.name}: ${scenario.about}`);
    const report = await scenario.run(options);
    const file = write(report.name, report.json);
    process.stdout.write(output === 'json' ? `${JSON.stringify(report.json)}\n` : `\n${report.text}\n`);
    say(`written to ${file}`);
  }
}

if (values.help) process.stdout.write(USAGE);
else if (values.list) {
  for (const { name, about } of micro ? MICROS : SCENARIOS) process.stdout.write(`${name.padEnd(20)} ${about}\n`);
} else {
  try {
    await run();
  } catch (error) {
    say(`bench: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
