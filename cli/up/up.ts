import { relative } from 'node:path';
import type { ControlPlane } from '../../control/main.ts';
import { type KeptPorts, openKeptPorts } from '../../control/ports.ts';
import { createLog } from '../../kit/log.ts';
import type { CommandContext } from '../cluster/context.ts';
import { lookAgain } from '../cluster/look-again.ts';
import { applyDocuments } from '../manifests/apply.ts';
import { checkedManifests } from '../manifests/checked.ts';
import type { ManifestDocument } from '../manifests/read-manifests.ts';
import { describeNode, startNode } from '../process/agent.ts';
import { startControl } from '../process/control.ts';
import type { AgentSettings, ControlSettings } from '../process/flags.ts';
import { untilStopped } from '../process/until-stopped.ts';
import { followReplicas } from './follow-replicas.ts';
import { gatewayPorts, imageRootsBeside } from './from-manifests.ts';
import { lockFolderAs } from './lock.ts';
import { requireFreePorts } from './ports.ts';
import { printSummary } from './summary.ts';

export interface UpSettings extends ControlSettings, AgentSettings {
  readonly manifests: readonly string[];
  readonly timeoutMs: number;
}

/** The agent of this process is its own control plane's. */
const NO_JOIN = { invitation: undefined, certificateTtlSeconds: 0 };
const SUMMARY_WITHIN_MS = 10_000;

/**
 * `tutti up`: control plane and agent in this process, proxies and workloads as its children. What can be refused is
 * refused before anything starts. Returns when the user has stopped it and all is down. What a killed `up` left running
 * is taken over by the next one.
 */
export async function up(context: CommandContext, settings: UpSettings): Promise<void> {
  const documents = await checkedManifests(settings.manifests);
  const lock = await lockFolderAs(settings.stateFolder, ['up', 'control', 'agent']);
  try {
    const kept = await openKeptPorts(settings.stateFolder);
    await requireFreePorts(portsOf(settings, documents, kept), settings.stateFolder);
    await run(context, settings, documents);
  } finally {
    await lock.release();
  }
}

function portsOf(
  { apiPort, xdsPort, dnsPort, ingress, bindAddress }: UpSettings,
  documents: readonly ManifestDocument[],
  kept: KeptPorts,
) {
  const local = (name: string, asked: number, use: string, address = '127.0.0.1') => ({
    address,
    port: kept.wanted(name, asked),
    use,
    change: `choose another with --${name}-port`,
  });
  return [
    local('api', apiPort, 'API server', bindAddress),
    local('xds', xdsPort, 'xDS server', bindAddress),
    local('dns', dnsPort, 'DNS server'),
    ...(ingress ? gatewayPorts(documents) : []),
  ];
}

async function run(
  context: CommandContext,
  settings: UpSettings,
  documents: readonly ManifestDocument[],
): Promise<void> {
  const { terminal } = context;
  const log = createLog({ level: settings.logLevel, format: settings.logFormat });
  const say = (message: string): void => terminal.err(`${message}\n`);
  const imageRoots = [...settings.imageRoots, ...imageRootsBeside(settings.manifests, context.cwd)];

  const control = await startControl(context, settings, log);
  try {
    say(`control plane: ${control.server}`);
    const own = { kubeconfig: control.agentKubeconfig, xds: control.xdsAddress, servers: [], ...NO_JOIN };
    const node = await startNode(context, { ...settings, imageRoots, ...own }, log);
    try {
      say(describeNode(settings.node.name, node));
      await serve(context, settings, { documents, control });
      await untilStopped(context);
    } finally {
      say('stopping: no new requests, then the replicas');
      await node.stop('stop');
    }
  } finally {
    await control.close();
  }
  say('stopped');
}

interface Started {
  readonly documents: readonly ManifestDocument[];
  readonly control: ControlPlane;
}

/** Applies the manifests, shows how the replicas come up, and ends with what runs where. */
async function serve(context: CommandContext, settings: UpSettings, { documents, control }: Started): Promise<void> {
  const { terminal, signal } = context;
  const say = (message: string): void => terminal.err(`${message}\n`);
  const cluster = await context.connect({ kubeconfig: control.kubeconfig });
  try {
    if (documents.length > 0) {
      await applyDocuments({
        client: cluster.client,
        documents,
        namespace: cluster.namespace,
        onResult: ({ name, verb }) => say(`  ${name} ${verb}`),
        onWarning: (warning) => say(`${terminal.style('yellow', 'warning:')} ${warning}`),
      });
    }
    const missing = await followReplicas({ client: cluster.client, context, timeoutMs: settings.timeoutMs });
    if (signal.aborted) return;
    for (const line of missing) say(`${terminal.style('yellow', 'not ready:')} ${line}`);
    const look = lookAgain({ context, untilMs: context.clock.monotonic() + SUMMARY_WITHIN_MS, isKnown: true });
    const kubeconfig = relative(context.cwd, control.kubeconfig);
    await look(() => printSummary({ client: cluster.client, terminal, kubeconfig }));
  } finally {
    await cluster.close();
  }
}
