import { Command } from 'commander';
import type { CommandContext } from './cluster/context.ts';
import { registerApply } from './commands/apply.ts';
import { registerCanary } from './commands/canary.ts';
import { registerCerts } from './commands/certs.ts';
import { registerCheck } from './commands/check.ts';
import { registerDelete } from './commands/delete.ts';
import { registerDescribe } from './commands/describe.ts';
import { registerDns } from './commands/dns.ts';
import { registerEvents } from './commands/events.ts';
import { registerExec } from './commands/exec.ts';
import { registerGet } from './commands/get.ts';
import { registerLogs } from './commands/logs.ts';
import { registerNodes } from './commands/nodes.ts';
import { registerPortForward } from './commands/port-forward.ts';
import { registerProcesses } from './commands/processes.ts';
import { registerProxies } from './commands/proxies.ts';
import { registerRollout } from './commands/rollout.ts';
import { registerScale } from './commands/scale.ts';
import { registerStatus } from './commands/status.ts';
import { registerStore } from './commands/store.ts';
import { registerToken } from './commands/token.ts';
import { registerTop } from './commands/top.ts';
import { ownVersion, registerVersion } from './commands/version.ts';
import { registerCompletion } from './completion/register.ts';

type Register = (program: Command, context: CommandContext) => void;

/** The order in which `--help` lists them: by what a person wants to do. */
const GROUPS: readonly (readonly [heading: string, registers: readonly Register[]])[] = [
  ['Run a mesh', [registerProcesses]],
  ['Change what runs', [registerApply, registerScale, registerRollout, registerCanary, registerDelete]],
  [
    'See what runs',
    [registerGet, registerDescribe, registerLogs, registerEvents, registerStatus, registerTop, registerDns],
  ],
  ['Reach into what runs', [registerExec, registerPortForward, registerProxies]],
  ['Add and empty machines', [registerToken, registerNodes]],
  ['About this installation', [registerCheck, registerCerts, registerStore, registerVersion]],
];

/** Every command, with its flags and help. */
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
  for (const [heading, registers] of GROUPS) {
    program.commandsGroup(`${heading}:`);
    for (const register of registers) register(program, context);
  }
  program.helpCommand('help [command]', 'the same for one command, with examples');
  // Last: it reads all that has been registered.
  registerCompletion(program, context);
  return program;
}
