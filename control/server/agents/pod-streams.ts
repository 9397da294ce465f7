import { nodeKind } from '../../../api/kinds/node.ts';
import { podKind } from '../../../api/kinds/pod.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { Clock } from '../../../kit/clock.ts';
import type { User } from '../authn/user.ts';
import { requireAllowed } from '../authz/authorize.ts';
import { unknownPath } from '../http/dispatch.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { ResourceInfo } from '../http/request-info.ts';
import type { UpgradeCall, UpgradeHandler } from '../http/upgrade.ts';
import type { StoredObjects } from '../verbs/stored-objects.ts';
import { type AgentAccess, askAgent } from './agent-request.ts';
import { relayUpgrade } from './agent-upgrade.ts';
import type { OpenStreams } from './open-streams.ts';
import { agentStreamPath, type StreamKind } from './stream-query.ts';

export interface PodStreamServing {
  readonly objects: StoredObjects;
  readonly agents: AgentAccess;
  readonly streams: OpenStreams;
  readonly clock: Clock;
}

const OPTIONS: Readonly<Record<StreamKind, string>> = {
  exec: 'PodExecOptions',
  attach: 'PodAttachOptions',
  portforward: 'PodPortForwardOptions',
};

/** pods/NAME/exec, attach and portforward for discovery, and for requests that do not ask for a WebSocket. */
export function podStreams(serving: PodStreamServing): readonly Endpoint[] {
  return (['exec', 'attach', 'portforward'] as const).map((subresource) => {
    // kubectl asks so after any failure to get a WebSocket: what failed then is said first.
    const refuse = async (wanted: Wanted): Promise<void> => {
      const { node } = await locate(serving, wanted);
      const { signal, end } = serving.streams.begin(wanted.user.name);
      try {
        (await askAgent(node, '/healthz', { ...serving.agents, signal })).resume();
      } finally {
        end();
      }
      throw ApiError.badRequest(
        'Upgrade request required: a WebSocket with v5.channel.k8s.io or v4.channel.k8s.io (SPDY alone is not served)',
      );
    };
    return {
      group: '',
      version: 'v1',
      resource: 'pods',
      subresource,
      namespaced: true,
      responseKind: { group: '', version: 'v1', kind: OPTIONS[subresource] },
      singular: '',
      shortNames: [],
      categories: [],
      verbs: { get: refuse, create: refuse },
    };
  });
}

/** What became a WebSocket is carried to the agent that has the pod, which speaks the protocol. */
export function podStreamUpgrades(serving: PodStreamServing): UpgradeHandler {
  return async (call) => {
    const { node, path } = await locate(serving, call);
    const { signal, end } = serving.streams.begin(call.user.name);
    call.connection.once('close', end);
    try {
      await relayUpgrade(node, path, { ...serving.agents, ...call, clock: serving.clock, signal });
    } catch (error) {
      end();
      throw error;
    }
  };
}

type Wanted = Pick<UpgradeCall, 'info' | 'user' | 'query'>;

async function locate({ objects }: PodStreamServing, { info, user, query }: Wanted) {
  const kind = streamKind(info);
  // A WebSocket can only be asked for by GET. Who may only read must not run programs by that (KEP-4006, kubernetes#133515).
  requireCreate(user, info);
  const { namespace, name } = info;
  const pod = await objects.get(podKind, { namespace, name });
  if (pod === undefined) throw ApiError.notFound(podKind, name);
  const path = agentStreamPath(kind, pod, query);
  if (!pod.spec.nodeName) throw ApiError.badRequest(`pod ${name} does not have a host assigned`);
  const node = await objects.get(nodeKind, { name: pod.spec.nodeName });
  if (node === undefined) throw ApiError.notFound(nodeKind, pod.spec.nodeName);
  return { node, path };
}

function streamKind({ group, version, resource, subresource, namespace, name }: ResourceInfo): StreamKind {
  const isPod = group === '' && version === 'v1' && resource === 'pods' && namespace !== '' && name !== '';
  if (!isPod || !Object.hasOwn(OPTIONS, subresource)) throw unknownPath();
  return subresource as StreamKind;
}

function requireCreate(user: User, info: ResourceInfo): void {
  requireAllowed(user, { ...info, verb: 'create' });
}
