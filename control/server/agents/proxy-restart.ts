import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { nodeKind } from '../../../api/kinds/node.ts';
import { podKind } from '../../../api/kinds/pod.ts';
import { proxyKind } from '../../../api/kinds/proxy.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { INGRESS_NAMESPACE, INJECT } from '../../../api/meta/well-known.ts';
import { sendBody } from '../http/answer.ts';
import type { ApiCall, Endpoint } from '../http/endpoint.ts';
import type { StoredObjects } from '../verbs/stored-objects.ts';
import { type AgentAccess, askAgent } from './agent-request.ts';

/** The agent itself gives up sooner. */
const RESTART_WITHIN_MS = 90_000;

const doneSchema = z.object({ tookMs: z.number() });

export interface ProxyRestartServing {
  readonly objects: StoredObjects;
  readonly agents: AgentAccess;
}

/**
 * POST proxies/NAME/restart: a new process takes the sockets over from the one that runs, and no request is lost. A sidecar has its pod's name and
 * namespace, an ingress its node's name in `tutti-system`. Answers when the new one carries the traffic.
 */
export function proxyRestarts(serving: ProxyRestartServing): Endpoint {
  const { group, version, plural } = proxyKind;
  return {
    group,
    version,
    resource: plural,
    subresource: 'restart',
    namespaced: true,
    responseKind: { group, version, kind: proxyKind.kind },
    singular: '',
    shortNames: [],
    categories: [],
    verbs: { create: (call) => restart(serving, call) },
  };
}

async function restart(serving: ProxyRestartServing, { info, reply, form }: ApiCall): Promise<void> {
  const { namespace, name } = info;
  const { node, path } = await placeOf(serving.objects, namespace, name);
  const { agents } = serving;
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const answer = await askAgent(node, path, {
    ...agents,
    signal: gone.signal,
    method: 'POST',
    timeoutMs: RESTART_WITHIN_MS,
  });
  const { tookMs } = doneSchema.parse(await json(answer));
  const message = `proxy "${name}": a new process on node "${node.metadata.name}" has taken over after ${tookMs} ms`;
  const details = { name, group: proxyKind.group, kind: proxyKind.plural };
  const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', message, details, code: 201 };
  sendBody(reply.code(201), success, form().representation);
}

async function placeOf(objects: StoredObjects, namespace: string, name: string) {
  const ofNode = async (nodeName: string) => {
    const node = await objects.get(nodeKind, { name: nodeName });
    if (node === undefined) throw ApiError.notFound(nodeKind, nodeName);
    return node;
  };
  const pod = await objects.get(podKind, { namespace, name });
  if (pod === undefined) {
    if (namespace !== INGRESS_NAMESPACE) throw ApiError.notFound(podKind, name);
    return { node: await ofNode(name), path: '/restartProxy' };
  }
  if (pod.metadata.annotations?.[INJECT] === 'false')
    throw ApiError.badRequest(`pod "${name}" has no sidecar: it says ${INJECT}=false`);
  if (!pod.spec.nodeName) throw ApiError.badRequest(`pod ${name} does not have a host assigned`);
  const path = `/restartProxy/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  return { node: await ofNode(pod.spec.nodeName), path };
}
