import type { Command } from 'commander';
import type { CommandContext } from '../cluster/context.ts';
import { parseDuration } from '../output/duration.ts';
import {
  type AgentFlags,
  agentFlags,
  type ControlFlags,
  controlFlags,
  type JoinFlags,
  joinFlags,
  readAgent,
  readControl,
  readJoin,
  readServers,
  sharedFlags,
  storeFlags,
} from '../process/flags.ts';

interface UpFlags extends ControlFlags, AgentFlags {
  readonly filename?: string[];
  readonly timeout: string;
}

/**
 * The commands that are processes. Their folders are loaded when one is asked for, so that `tutti get` does not wait for
 * a store and a proxy.
 */
export function registerProcesses(program: Command, context: CommandContext): void {
  agentFlags(
    controlFlags(
      sharedFlags(
        program
          .command('up')
          .description('everything on this machine: control plane, agent and ingress, in the foreground'),
      ),
    ),
  )
    .option('-f, --filename <path...>', 'manifests to apply: files, folders, or - for standard input')
    .option('--timeout <duration>', 'how long to wait for replicas before saying what is missing', '120s')
    .addHelpText('after', '\nExamples:\n  tutti up -f examples/shop\n  tutti up --data ./state --api-port 7443')
    .action(async (flags: UpFlags) => {
      const { up } = await import('../up/up.ts');
      await up(context, {
        ...readControl(flags, context.cwd),
        ...readAgent(flags, context.cwd),
        manifests: flags.filename ?? [],
        timeoutMs: parseDuration('--timeout', flags.timeout),
      });
    });

  storeFlags(controlFlags(sharedFlags(program.command('control').description('the control plane alone'))))
    .addHelpText(
      'after',
      '\nExamples:\n  tutti control --data /var/lib/tutti\n  tutti control --bind-address 0.0.0.0 --advertise-address 192.0.2.1\n  tutti control --store redis://10.0.0.5:6379   # several: one leads, the others take over',
    )
    .action(async (flags: ControlFlags) => {
      const { runControl } = await import('../process/control.ts');
      await runControl(context, readControl(flags, context.cwd));
    });

  joinFlags(agentFlags(sharedFlags(program.command('agent').description('the agent of one node alone'))))
    .option('--kubeconfig <file>', "the agent's credentials (default: agent.kubeconfig in the data folder)")
    .option(
      '--xds <host:port>',
      "the control plane's xDS server, or several with commas between, for control planes that share a store (default: as it is written in the data folder)",
    )
    .option(
      '--servers <urls>',
      "API servers of control planes that share a store, with commas between; tried when the kubeconfig's does not answer",
    )
    .addHelpText(
      'after',
      '\nExamples:\n  tutti agent --data /var/lib/tutti --images ./images\n  tutti agent --join https://192.0.2.1:6443 --token TOKEN --ca-cert-hash sha256:HASH --node-address 192.0.2.2\n\nThe token and the hash come from "tutti token create" where the control plane runs.',
    )
    .action(async (flags: AgentFlags & JoinFlags & { kubeconfig?: string; xds?: string; servers?: string }) => {
      const { runAgent } = await import('../process/agent.ts');
      const { kubeconfig, xds } = flags;
      const own = { kubeconfig, xds, servers: readServers(flags.servers) };
      await runAgent(context, { ...readAgent(flags, context.cwd), ...readJoin(flags), ...own });
    });

  program
    .command('proxy')
    .description('one proxy, sidecar or ingress; agents start them')
    .requiredOption('--bootstrap <file>', 'what the proxy is told at its start (JSON)')
    .option('--mode <mode>', 'sidecar or ingress; the bootstrap file says it too')
    .option('--concurrency <n>', 'worker threads, or "auto" for one on each core (default: 1; 0 is 1, as with Envoy)')
    .option(
      '--hot-restart',
      'take the listening sockets over from the proxy that runs with the same state folder; it drains and ends',
    )
    .option(
      '--drain-time-s <seconds>',
      'how long its connections may stay when a successor has taken over (default: 600, as with Envoy)',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  tutti proxy --bootstrap bootstrap.json --concurrency auto\n  tutti proxy --bootstrap bootstrap.json --hot-restart',
    )
    .action(async (flags: { bootstrap: string; concurrency?: string; hotRestart?: boolean; drainTimeS?: string }) => {
      const { runProxyProcess } = await import('../process/proxy.ts');
      await runProxyProcess(flags);
    });
}
