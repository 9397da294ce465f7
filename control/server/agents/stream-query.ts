import type { Pod } from '../../../api/kinds/pod.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { isTrue } from '../http/request-info.ts';
import { logContainer } from './log-query.ts';

const MAX_PORTS = 32;

export type StreamKind = 'exec' | 'attach' | 'portforward';

/** The path and query for the agent of what is asked of a pod. Throws ApiError 400 for what can not be. */
export function agentStreamPath(kind: StreamKind, pod: Pod, query: URLSearchParams): string {
  const { name, namespace = '' } = pod.metadata;
  const { phase } = pod.status;
  const place = `${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  if (kind === 'portforward') {
    if (phase !== 'Running') {
      throw ApiError.badRequest(`unable to forward port because pod is not running. Current status=${phase}`);
    }
    return `/portForward/${place}?${ports(query).toString()}`;
  }
  if (phase === 'Succeeded' || phase === 'Failed') {
    throw ApiError.badRequest(`cannot ${kind} into a container in a completed pod; current phase is ${phase}`);
  }
  const asked = query.get('container');
  const names = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map((container) => container.name);
  if (asked && !names.includes(asked)) {
    throw ApiError.badRequest(`container ${asked} is not valid for pod ${name}, choose one of: [${names.join(' ')}]`);
  }
  const container = encodeURIComponent(logContainer(pod, asked));
  return `/${kind}/${place}/${container}?${streams(kind, query).toString()}`;
}

/** PodExecOptions and PodAttachOptions, by the kubelet's names. */
function streams(kind: 'exec' | 'attach', query: URLSearchParams): URLSearchParams {
  const passed = new URLSearchParams();
  for (const [ours, kubelets] of [
    ['stdin', 'input'],
    ['stdout', 'output'],
    ['stderr', 'error'],
    ['tty', 'tty'],
  ] as const) {
    if (isTrue(query.get(ours))) passed.set(kubelets, '1');
  }
  if (!['input', 'output', 'error'].some((name) => passed.has(name))) {
    throw ApiError.badRequest('you must specify at least 1 of stdin, stdout, stderr');
  }
  if (kind === 'attach') return passed;
  const command = query.getAll('command');
  if (command.length === 0)
    throw ApiError.badRequest('you must specify a command: command=PROGRAM, and again for each argument');
  for (const word of command) passed.append('command', word);
  return passed;
}

/** PodPortForwardOptions: `ports=80&ports=443` or `ports=80,443`. None for clients that name them as they go. */
function ports(query: URLSearchParams): URLSearchParams {
  const passed = new URLSearchParams();
  for (const text of query.getAll('ports').flatMap((list) => list.split(','))) {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (port < 1 || port > 65_535)
      throw ApiError.badRequest(`ports: ${JSON.stringify(text)} is not a port from 1 to 65535`);
    passed.append('port', text);
  }
  if (passed.size > MAX_PORTS) throw ApiError.badRequest(`ports: ${passed.size} are too many: at most ${MAX_PORTS}`);
  return passed;
}
