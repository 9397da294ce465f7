// The `tutti` command's composition root: the only place of cli/ that reads argv and the environment and builds a clock.
import { CommanderError } from 'commander';
import { systemClock } from '../kit/clock.ts';
import { openCluster } from './cluster/connect.ts';
import type { CommandContext } from './cluster/context.ts';
import { EXIT } from './output/exit-codes.ts';
import { reportError } from './output/report-error.ts';
import { processTerminal } from './output/terminal.ts';
import { createProgram } from './program.ts';

const abort = new AbortController();
const terminal = processTerminal();
const context: CommandContext = {
  terminal,
  clock: systemClock(),
  signal: abort.signal,
  env: process.env,
  cwd: process.cwd(),
  connect: (options) => openCluster(options, { env: process.env, cwd: process.cwd(), terminal }),
};

// What others hang on: these end in order and take their time, whoever has stopped reading what they say.
const runsOn = ['up', 'control', 'agent'].includes(process.argv[2] ?? '');

// For all others Ctrl-C ends what they wait for, and twice ends them.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (abort.signal.aborted && !runsOn) process.exit(EXIT.interrupted.code);
    abort.abort(new Error('interrupted'));
  });
}
// A terminal that is closed.
if (runsOn) process.on('SIGHUP', () => abort.abort(new Error('interrupted')));

// A reader that has seen enough (`tutti get pods | head`) is no failure. Of a terminal that is closed it is EIO.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    if (!runsOn && stream === process.stdout) process.exit(EXIT.ok.code);
  });
}

try {
  await createProgram(context).parseAsync();
  if (abort.signal.aborted && process.exitCode === undefined) process.exitCode = EXIT.interrupted.code;
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok.code : EXIT.usage.code;
  else process.exitCode = reportError(context, error);
}
