import { nodeKind } from '../../../api/kinds/node.ts';
import { podKind } from '../../../api/kinds/pod.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { ApiCall, Endpoint } from '../http/endpoint.ts';
import type { OpenWatches } from '../http/open-watches.ts';
import type { StoredObjects } from '../verbs/stored-objects.ts';
import { type AgentAccess, askAgent } from './agent-request.ts';
import { logContainer, logQuery } from './log-query.ts';

export interface PodLogServing {
  readonly objects: StoredObjects;
  readonly agents: AgentAccess;
  /** A log that is followed is as long-lived as a watch. */
  readonly watches: OpenWatches;
}

/** GET pods/NAME/log: what the container wrote, from the agent that has it, as it comes. */
export function podLogs(serving: PodLogServing): Endpoint {
  return {
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: 'log',
    namespaced: true,
    responseKind: { group: '', version: 'v1', kind: 'Pod' },
    singular: '',
    shortNames: [],
    categories: [],
    verbs: { get: (call) => sendLog(serving, call) },
  };
}

async function sendLog(
  { objects, agents, watches }: PodLogServing,
  { info, query, reply, user }: ApiCall,
): Promise<void> {
  const { namespace, name } = info;
  const pod = await objects.get(podKind, { namespace, name });
  if (pod === undefined) throw ApiError.notFound(podKind, name);
  const container = logContainer(pod, query.get('container'));
  const checked = logQuery(query);
  void reply.type('text/plain');
  // Nobody has run it yet: there is nothing to show, and that is no error (LogLocation gives no location).
  if (!pod.spec.nodeName) {
    reply.send('');
    return;
  }
  const node = await objects.get(nodeKind, { name: pod.spec.nodeName });
  if (node === undefined) throw ApiError.notFound(nodeKind, pod.spec.nodeName);
  const open = watches.begin(user.name);
  reply.raw.once('close', () => watches.end(open));
  const path = `/containerLogs/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}/${encodeURIComponent(container)}?${checked.toString()}`;
  try {
    reply.send(await askAgent(node, path, { ...agents, signal: open.signal }));
  } catch (error) {
    watches.end(open);
    throw error;
  }
}
