import { caPins } from '../../api/client/ca-pin.ts';
import type { ClusterInfo } from '../../api/client/cluster-info.ts';
import { type Credentials, type HttpClient, httpClient } from '../../api/client/http-client.ts';
import { ApiError, hasCode } from '../../api/meta/api-error.ts';
import { agentSpiffeId } from '../../api/meta/well-known.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import { discoverCluster, readInfo } from './discover.ts';
import { type Membership, MembershipFolder } from './membership.ts';
import { JoinRefusedError } from './refusal.ts';
import { requestCertificate } from './request-certificate.ts';

/** What `tutti token create` printed. */
export interface Invitation {
  readonly server: string;
  readonly token: string | undefined;
  readonly pins: readonly string[];
}

export interface JoinOptions {
  readonly stateFolder: string;
  readonly nodeName: string;
  /** Undefined at a later start, when the machine has joined before. */
  readonly invitation: Invitation | undefined;
  readonly certificateTtlSeconds: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const AGAIN = 'join again: make a token where the control plane runs, with "tutti token create"';

/**
 * The membership that is kept in the state folder, if it is still good; else a new one, by the invitation. Undefined when there
 * is neither: the agent is then of its own state folder's control plane. Throws JoinRefusedError.
 */
export async function joinCluster(options: JoinOptions): Promise<Membership | undefined> {
  const { stateFolder, nodeName, invitation, clock, log } = options;
  const folder = new MembershipFolder(stateFolder);
  const kept = await folder.read();
  if (kept === undefined && invitation === undefined) return undefined;
  if (kept !== undefined) refuseOtherMembership(kept, nodeName, invitation);
  const present = kept === undefined ? undefined : { ...kept, server: invitation?.server ?? kept.server };
  const problem = present === undefined ? undefined : await problemOf(present, folder, clock.now());
  if (present !== undefined && problem === undefined) return (await folder.read()) ?? present;
  if (problem !== undefined)
    log.warn({ node: nodeName, reason: problem }, 'the kept credentials are not good any more');
  if (invitation?.token === undefined) {
    throw new JoinRefusedError(
      `node "${nodeName}": ${problem ?? 'has not joined yet, and there is no --token'}`,
      AGAIN,
    );
  }
  return await joinAnew(options, { ...invitation, token: invitation.token }, folder);
}

function refuseOtherMembership(kept: Membership, nodeName: string, invitation: Invitation | undefined): void {
  if (kept.nodeName !== nodeName) {
    throw new JoinRefusedError(
      `state folder: is node "${kept.nodeName}"'s, not "${nodeName}"'s`,
      `start with --node-name ${kept.nodeName}, or with another --data for another node`,
    );
  }
  if (invitation === undefined || caPins(kept.caPem).some((pin) => invitation.pins.includes(pin))) return;
  throw new JoinRefusedError(
    `state folder: has joined the cluster at ${kept.server}, whose CA is another`,
    'name another folder with --data, or remove this one when nothing of it runs any more',
  );
}

/** Why kept credentials are of no use. A server that does not answer is no reason: pods are taken over without it. */
async function problemOf(kept: Membership, folder: MembershipFolder, nowMs: number): Promise<string | undefined> {
  if (kept.expiresAtMs <= nowMs) return `its certificate has expired at ${new Date(kept.expiresAtMs).toISOString()}`;
  const client = memberClient(kept);
  try {
    // The control plane may be elsewhere now, and have another CA beside the one before.
    const { xdsAddress, caPem, trustDomain } = await readInfo(client);
    await folder.write({ ...kept, xdsAddress, caPem, trustDomain });
    return undefined;
  } catch (error) {
    return hasCode(error, 401) ? error.message : undefined;
  } finally {
    await client.close();
  }
}

async function joinAnew(
  { nodeName, certificateTtlSeconds, clock, log }: JoinOptions,
  { server, token, pins }: Invitation & { readonly token: string },
  folder: MembershipFolder,
): Promise<Membership> {
  const info = await discoverCluster({ server, pins });
  const { trustDomain, xdsAddress } = info;
  const { privateKeyPem: keyPem, csrPem } = await folder.pendingKey(agentSpiffeId(trustDomain, nodeName));
  const client = trustingClient(server, info, { kind: 'token', token: () => token });
  try {
    const order = { nodeName, keyPem, csrPem, ttlSeconds: certificateTtlSeconds, nowMs: clock.now() };
    const membership = { server, nodeName, trustDomain, xdsAddress, ...(await requestCertificate(client, order)) };
    await folder.write(membership);
    log.info({ node: nodeName, server }, 'joined');
    return membership;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new JoinRefusedError(`join as node "${nodeName}": ${error.message}`, AGAIN, { cause: error });
  } finally {
    await client.close();
  }
}

function trustingClient(server: string, { caPem }: Pick<ClusterInfo, 'caPem'>, credentials: Credentials): HttpClient {
  return httpClient({ server, caPem, credentials, userAgent: 'tutti-agent' });
}

export function memberCredentials({ certificatePem, keyPem }: Membership): Credentials {
  return { kind: 'certificate', certificatePem, keyPem };
}

function memberClient(membership: Membership): HttpClient {
  return trustingClient(membership.server, membership, memberCredentials(membership));
}
