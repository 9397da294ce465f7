import { join } from 'node:path';
import { joinCluster, memberCredentials } from '../../agent/join/join.ts';
import { type Membership, MembershipFolder } from '../../agent/join/membership.ts';
import { JoinRefusedError } from '../../agent/join/refusal.ts';
import type { ServingCredentials } from '../../agent/server/agent-server.ts';
import type { Credentials } from '../../api/client/http-client.ts';
import { type Connection, readKubeconfig } from '../../api/client/kubeconfig.ts';
import type { Clock } from '../../kit/clock.ts';
import { readTextIfPresent } from '../../kit/disk.ts';
import type { Logger } from '../../kit/log.ts';
import { CommandError } from '../output/exit-codes.ts';
import type { NodeAgentSettings } from './agent.ts';

/** How an agent reaches its control plane, and what it shows to whom. */
export interface NodeAccess {
  readonly server: string;
  readonly caPem: string | undefined;
  readonly credentials: Credentials;
  readonly caFile: string;
  readonly xdsAddress: string;
  readonly trustDomain: string;
  readonly serving: ServingCredentials;
  /** What is to be renewed; undefined where the control plane of the same folder writes the credentials. */
  readonly membership: Membership | undefined;
}

/** By joining a cluster elsewhere, now or before; else by what the control plane wrote into the state folder. */
export async function nodeAccess(settings: NodeAgentSettings, clock: Clock, log: Logger): Promise<NodeAccess> {
  // Credentials that are named are meant, whatever else is in the folder.
  const membership = settings.kubeconfig === undefined ? await joined(settings, clock, log) : undefined;
  if (membership !== undefined) return memberAccess(settings, membership);
  const { stateFolder, trustDomain } = settings;
  const { server, caPem, credentials } = await readCredentials(
    settings.kubeconfig ?? join(stateFolder, 'agent.kubeconfig'),
  );
  return {
    server,
    caPem,
    credentials,
    caFile: join(stateFolder, 'ca', 'ca.crt'),
    xdsAddress: settings.xds ?? (await writtenXdsAddress(stateFolder, server)),
    trustDomain,
    serving: await readServing(stateFolder),
    membership: undefined,
  };
}

export function servingOf({ certificatePem, keyPem, caPem }: Membership): ServingCredentials {
  return { certificatePem, privateKeyPem: keyPem, clientCaPem: caPem };
}

function memberAccess({ stateFolder, xds }: NodeAgentSettings, membership: Membership): NodeAccess {
  const { server, caPem, xdsAddress, trustDomain } = membership;
  return {
    server,
    caPem,
    credentials: memberCredentials(membership),
    caFile: new MembershipFolder(stateFolder).caFile,
    xdsAddress: xds ?? xdsAddress,
    trustDomain,
    serving: servingOf(membership),
    membership,
  };
}

async function joined(settings: NodeAgentSettings, clock: Clock, log: Logger): Promise<Membership | undefined> {
  const { stateFolder, node, invitation, certificateTtlSeconds } = settings;
  if (invitation !== undefined && (await readTextIfPresent(join(stateFolder, 'ca', 'ca.crt'))) !== undefined) {
    throw new CommandError(`"${stateFolder}": is the state folder of a control plane`, {
      hint: 'name another with --data for the node that joins',
    });
  }
  try {
    const nodeName = node.name;
    return await joinCluster({ stateFolder, nodeName, invitation, certificateTtlSeconds, clock, log });
  } catch (error) {
    if (!(error instanceof JoinRefusedError)) throw error;
    throw new CommandError(error.message, { hint: error.hint, cause: error });
  }
}

async function readCredentials(path: string): Promise<Connection> {
  try {
    return await readKubeconfig(path);
  } catch (error) {
    throw new CommandError((error as Error).message, {
      hint: 'a control plane writes it when it starts; name another with --kubeconfig, or join one elsewhere with --join',
      cause: error,
    });
  }
}

async function readServing(stateFolder: string): Promise<ServingCredentials> {
  const path = join(stateFolder, 'agent-serving.json');
  const text = await readTextIfPresent(path);
  if (text === undefined)
    throw new CommandError(`"${path}": not found`, {
      hint: 'a control plane writes it when it starts in the same folder',
    });
  return JSON.parse(text) as ServingCredentials;
}

async function writtenXdsAddress(stateFolder: string, server: string): Promise<string> {
  const text = await readTextIfPresent(join(stateFolder, 'ports.json'));
  const { xds } = JSON.parse(text ?? '{}') as { xds?: number };
  if (xds === undefined)
    throw new CommandError('xDS server: its address is not known', {
      hint: 'name it with --xds, such as 127.0.0.1:6444',
    });
  return `${new URL(server).hostname}:${xds}`;
}
