import { startNodeDns } from '../../agent/dns.ts';
import { memberCredentials } from '../../agent/join/join.ts';
import { RenewedMembership } from '../../agent/join/renewed-membership.ts';
import { type Agent, startAgent } from '../../agent/main.ts';
import { httpClient } from '../../api/client/http-client.ts';
import { openKeptPorts } from '../../control/ports.ts';
import { createLog, type Logger } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';
import type { CommandContext } from '../cluster/context.ts';
import { ownVersion } from '../commands/version.ts';
import { CommandError } from '../output/exit-codes.ts';
import { lockFolder } from '../up/lock.ts';
import type { AgentSettings, JoinSettings } from './flags.ts';
import { nodeAccess, servingOf } from './node-access.ts';
import { proxyCommand } from './proxy-command.ts';
import { untilStopped } from './until-stopped.ts';

export interface NodeAgentSettings extends AgentSettings, JoinSettings {
  /** Credentials of the agent; `agent.kubeconfig` of the state folder when missing. */
  readonly kubeconfig: string | undefined;
  /** `host:port`; as the control plane wrote it into the state folder when missing. */
  readonly xds: string | undefined;
  /** Every control plane of the cluster, `https://host:port`; the kubeconfig's alone when empty. */
  readonly servers: readonly string[];
}

export interface NodeAgent {
  /** Pods of an earlier agent that were taken over. */
  readonly adopted: number;
  /** Where it answers DNS: `127.0.0.1:10053`. */
  readonly dnsAddress: string;
  /** keep: everything runs on for the next agent. stop: everything drains and ends. */
  stop(pods: 'keep' | 'stop'): Promise<void>;
}

/** The agent and the DNS server of this node. */
export async function startNode(
  { clock }: CommandContext,
  settings: NodeAgentSettings,
  log: Logger,
): Promise<NodeAgent> {
  const { stateFolder, node } = settings;
  const access = await nodeAccess(settings, clock, log);
  const { server, caPem, credentials, caFile, xdsAddress, trustDomain, membership } = access;
  const client = httpClient({ server, caPem, credentials, fallbacks: settings.servers, userAgent: 'tutti-agent', log });
  const shared = { client, clock, random: systemRandom() };
  const ports = await openKeptPorts(stateFolder);
  const dnsPort = ports.wanted('dns', settings.dnsPort);
  const dns = await startNodeDns({
    ...shared,
    log: log.child({ component: 'dns' }),
    address: '127.0.0.1',
    port: dnsPort,
    upstreams: settings.dnsUpstreams,
  }).catch(async (error: NodeJS.ErrnoException) => {
    await client.close();
    if (error.code !== 'EADDRINUSE') throw error;
    throw new CommandError(`DNS server: port ${dnsPort} is in use`, {
      hint: 'choose another with --dns-port',
      cause: error,
    });
  });
  const closeRest = async (): Promise<void> => {
    await dns.close();
    await client.close();
  };
  try {
    await ports.keep('dns', dns.port);
    let running: Pick<Agent, 'setServing'> | undefined;
    let renewal: RenewedMembership | undefined;
    let serving = access.serving;
    let present = membership;
    let isTrustNews = false;
    const onTrust = async (caPem: string): Promise<void> => {
      if (present !== undefined) {
        // A certificate of the new root is wanted, from a server that may show one already.
        isTrustNews = true;
        client.setTrust({ caPem, credentials: memberCredentials(present) });
        renewal?.renewNow();
        return;
      }
      // This machine's own control plane has written both anew before it tells of a change.
      const written = await nodeAccess(settings, clock, log);
      client.setTrust(written);
      serving = written.serving;
      running?.setServing(serving);
    };
    const agent = await startAgent({
      ...shared,
      log: log.child({ component: 'agent' }),
      nodeName: node.name,
      nodeAddress: node.address,
      stateFolder,
      imageRoots: settings.imageRoots,
      proxyCommand: proxyCommand(),
      apiServer: { server: [...new Set([server, ...settings.servers])].join(','), caFile },
      xdsAddress,
      trustDomain,
      serving,
      onTrust,
      ...(settings.ingress === undefined ? {} : { ingress: settings.ingress }),
      svidTtlSeconds: settings.svidTtlSeconds,
      ...(settings.tracing === undefined ? {} : { tracing: settings.tracing }),
      version: ownVersion(),
    });
    running = agent;
    // What came while it started.
    agent.setServing(serving);
    if (membership !== undefined) {
      renewal = new RenewedMembership({
        ...shared,
        stateFolder,
        membership,
        certificateTtlSeconds: settings.certificateTtlSeconds,
        log: log.child({ component: 'join' }),
        onRenewed: (renewed) => {
          present = renewed;
          client.setTrust({ caPem: renewed.caPem, credentials: memberCredentials(renewed) });
          agent.setServing(servingOf(renewed));
        },
      });
      if (isTrustNews) renewal.renewNow();
    }
    return {
      adopted: agent.adopted,
      dnsAddress: `127.0.0.1:${dns.port}`,
      stop: async (pods) => {
        await renewal?.close();
        await agent.stop({ pods });
        await closeRest();
      },
    };
  } catch (error) {
    await closeRest();
    throw error;
  }
}

/** `tutti agent`: until it is told to stop. Its pods run on, and the next agent takes them over. */
export async function runAgent(context: CommandContext, settings: NodeAgentSettings): Promise<void> {
  const log = createLog({ level: settings.logLevel, format: settings.logFormat });
  const lock = await lockFolder(settings.stateFolder, 'agent');
  try {
    const node = await startNode(context, settings, log);
    context.terminal.err(`${describeNode(settings.node.name, node)}
`);
    await untilStopped(context);
    await node.stop('keep');
    context.terminal.err('stopped; the pods run on, and the next agent takes them over\n');
  } finally {
    await lock.release();
  }
}

/** One line for people: the node is up, what it took over, where it answers DNS. */
export function describeNode(name: string, { adopted, dnsAddress }: NodeAgent): string {
  const taken = adopted === 0 ? '' : `, took over ${adopted} running pods`;
  return `node ${name}: ready${taken}; DNS at ${dnsAddress}`;
}
