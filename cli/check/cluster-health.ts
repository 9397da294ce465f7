import type { EndpointSlice } from '../../api/kinds/endpoint-slice.ts';
import type { Gateway } from '../../api/kinds/gateway.ts';
import type { HttpRoute } from '../../api/kinds/http-route.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { Proxy } from '../../api/kinds/proxy.ts';
import type { Service } from '../../api/kinds/service.ts';
import { type AnyCondition, findCondition } from '../../api/meta/condition.ts';
import { failed, named, type Outcome, ok, skipped, warning } from './finding.ts';

/*
 * What lists of objects say about a cluster's health. Pure: the lists go in, the outcome comes out.
 */

export function checkNodes(nodes: readonly Node[]): Outcome {
  if (nodes.length === 0)
    return failed('no node has joined: nothing can run', 'start one with "tutti up" or "tutti agent"');
  const silent = nodes.filter(({ status }) => findCondition(status.conditions ?? [], 'Ready')?.status !== 'True');
  if (silent.length === 0) return ok(`${count(nodes.length, 'node')} ready`);
  const names = silent.map(({ metadata }) => metadata.name);
  const reason = findCondition(silent[0]?.status.conditions ?? [], 'Ready')?.message ?? 'it never reported';
  return failed(
    `${silent.length} of ${nodes.length} nodes not ready: ${named(names)} (${reason})`,
    `is the agent running there? "tutti describe node ${names[0]}" tells more`,
  );
}

export function checkProxies(proxies: readonly Proxy[]): Outcome {
  if (proxies.length === 0) return skipped('no proxy has connected yet');
  const refusing = proxies.flatMap(({ metadata, status }) =>
    status.types
      .filter(({ error }) => error !== undefined)
      .map(({ type, error }) => `${metadata.name}: ${type}: ${error}`),
  );
  if (refusing[0] !== undefined) {
    return failed(
      `${count(refusing.length, 'refusal')} of configuration: ${refusing[0]}`,
      '"tutti get proxies -A -o wide" lists them',
    );
  }
  const away = proxies.filter(({ status }) => !status.connected).map(({ metadata }) => metadata.name);
  if (away.length > 0) {
    return warning(
      `${away.length} of ${proxies.length} proxies not connected: ${named(away)}`,
      'they serve by their last configuration; their logs are in the state folder of their node',
    );
  }
  const behind = proxies.filter(({ status }) => status.types.some((type) => type.sentVersion !== type.ackedVersion));
  if (behind.length > 0) {
    return warning(
      `${behind.length} of ${proxies.length} proxies have not accepted the newest configuration yet: ${named(behind.map(({ metadata }) => metadata.name))}`,
      'a moment after a change that is normal; if it stays, look at the log of one of them',
    );
  }
  return ok(`${count(proxies.length, 'proxy', 'proxies')} connected and up to date`);
}

/** Reasons for which a container waits that do not go away by waiting. */
const STUCK = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImagePull',
  'InvalidImageName',
  'CreateContainerConfigError',
]);

export function checkPods(pods: readonly Pod[]): Outcome {
  const alive = pods.filter(({ status, metadata }) => {
    const ended = status.phase === 'Succeeded' || status.phase === 'Failed';
    return !ended && metadata.deletionTimestamp === undefined;
  });
  if (alive.length === 0) return skipped('no pods');
  const stuck = alive.flatMap((pod) => {
    const statuses = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
    const reason = statuses.map(({ state }) => state.waiting?.reason ?? '').find((each) => STUCK.has(each));
    return reason === undefined ? [] : [{ name: pod.metadata.name, namespace: pod.metadata.namespace ?? '', reason }];
  });
  const [first] = stuck;
  if (first !== undefined) {
    return failed(
      `${stuck.length} of ${alive.length} pods cannot run: ${named(stuck.map(({ name, reason }) => `${name} (${reason})`))}`,
      `"tutti describe pod ${first.name} -n ${first.namespace}" says why`,
    );
  }
  const waiting = alive.filter(({ status }) => findCondition(status.conditions ?? [], 'Ready')?.status !== 'True');
  const [example] = waiting;
  if (example !== undefined) {
    return warning(
      `${waiting.length} of ${alive.length} pods not ready: ${named(waiting.map(({ metadata }) => metadata.name))}`,
      `"tutti describe pod ${example.metadata.name} -n ${example.metadata.namespace}" tells what they wait for`,
    );
  }
  return ok(`${count(alive.length, 'pod')} ready`);
}

/** Label by which a slice names its Service (discovery.k8s.io/v1, LabelServiceName). */
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

export function checkServices(services: readonly Service[], slices: readonly EndpointSlice[]): Outcome {
  const selecting = services.filter(({ spec }) => Object.keys(spec.selector ?? {}).length > 0);
  if (selecting.length === 0) return skipped('no Services with a selector');
  const served = new Set(
    slices
      .filter(({ endpoints }) => endpoints.some(({ conditions }) => conditions.ready ?? true))
      .map(({ metadata }) => `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME_LABEL]}`),
  );
  const empty = selecting
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
    .filter((name) => !served.has(name));
  if (empty.length === 0) return ok(`${count(selecting.length, 'Service')} have endpoints`);
  return warning(
    `${empty.length} of ${selecting.length} Services have no ready endpoint: ${named(empty)}`,
    'requests to them get 503: does the selector match the labels of ready pods?',
  );
}

export function checkRoutes(gateways: readonly Gateway[], routes: readonly HttpRoute[]): Outcome {
  if (gateways.length + routes.length === 0) return skipped('no Gateways and HTTPRoutes');
  const problems = [
    ...gateways.flatMap(({ metadata, status }) => untrue('gateway', metadata, status.conditions)),
    ...routes.flatMap(({ metadata, status }) =>
      (status?.parents ?? []).flatMap(({ conditions }) => untrue('httproute', metadata, conditions)),
    ),
  ];
  const [first] = problems;
  if (first === undefined) {
    return ok(`${count(gateways.length, 'Gateway')} and ${count(routes.length, 'HTTPRoute')} carried by the proxies`);
  }
  return failed(
    `${count(problems.length, 'problem')}: ${first.name}: ${first.message}`,
    `"tutti describe ${first.name} -n ${first.namespace}" shows the conditions`,
  );
}

interface Problem {
  readonly name: string;
  readonly namespace: string;
  readonly message: string;
}

/** Conditions that are True when all is well; others say by True that something is wrong. */
const GOOD_WHEN_TRUE = new Set(['Accepted', 'Programmed', 'ResolvedRefs']);

function untrue(
  kind: string,
  { name, namespace = 'default' }: { readonly name: string; readonly namespace?: string | undefined },
  conditions: readonly AnyCondition[],
): Problem[] {
  return conditions
    .filter(({ type, status }) => GOOD_WHEN_TRUE.has(type) && status === 'False')
    .map(({ type, reason, message }) => ({
      name: `${kind}/${name}`,
      namespace,
      message: `${type} is False: ${reason}: ${message}`,
    }));
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
