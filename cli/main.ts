#!/usr/bin/env node
// The `tutti` command's composition root: the only place of cli/ that reads argv and the environment and builds a clock.
import { Command, CommanderError } from 'commander';
import { systemClock } from '../kit/clock.ts';
import { openCluster } from './cluster/connect.ts';
import type { CommandContext } from './cluster/context.ts';
import { registerApply } from './commands/apply.ts';
import { registerCanary } from './commands/canary.ts';
import { registerDelete } from './commands/delete.ts';
import { registerDescribe } from './commands/describe.ts';
import { registerDns } from './commands/dns.ts';
import { registerEvents } from './commands/events.ts';
import { registerGet } from './commands/get.ts';
import { registerLogs } from './commands/logs.ts';
import { registerProcesses } from './commands/processes.ts';
import { registerRollout } from './commands/rollout.ts';
import { registerScale } from './commands/scale.ts';
import { registerTop } from './commands/top.ts';
import { ownVersion, registerVersion } from './commands/version.ts';
import { EXIT } from './output/exit-codes.ts';
import { reportError } from './output/report-error.ts';
import { processTerminal } from './output/terminal.ts';

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

function createProgram(): Command {
  const program = new Command('tutti')
    .description('a service mesh with its own orchestrator')
    .version(ownVersion(), '-V, --version')
    .showHelpAfterError('(--help lists what there is)')
    .configureOutput({ writeOut: context.terminal.out, writeErr: context.terminal.err })
    .exitOverride()
    .addHelpText(
      'after',
      `
Start here:
  tutti up -f examples/shop     everything, on this machine
  tutti get pods                what runs
  tutti canary catalog --to catalog-v2 --weight 10`,
    );
  registerProcesses(program, context);
  for (const register of [
    registerApply,
    registerGet,
    registerDescribe,
    registerDelete,
    registerLogs,
    registerScale,
    registerRollout,
    registerCanary,
    registerDns,
    registerTop,
    registerEvents,
    registerVersion,
  ]) {
    register(program, context);
  }
  return program;
}

// Long-running processes bring their own handlers; for all others Ctrl-C ends what they wait for, and twice ends them.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (abort.signal.aborted && !process.argv.includes('up')) process.exit(EXIT.interrupted.code);
    abort.abort(new Error('interrupted'));
  });
}
// A reader that has seen enough (`tutti get pods | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok.code);
  throw error;
});

try {
  await createProgram().parseAsync();
  if (abort.signal.aborted && process.exitCode === undefined) process.exitCode = EXIT.interrupted.code;
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok.code : EXIT.usage.code;
  else process.exitCode = reportError(context, error);
}
