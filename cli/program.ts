import { Command } from 'commander';
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

/** Every command, with its flags and help. The order is the one in which `--help` lists them. */
export function createProgram(context: CommandContext): Command {
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
