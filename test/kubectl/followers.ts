import { type CoreV1Api, type KubeConfig, makeInformer, type V1ConfigMap, Watch } from '@kubernetes/client-node';
import type { Write } from './write-record.ts';

/** Somebody who is told of every change, and keeps what they were told. */
export interface Follower {
  readonly heard: readonly Write[];
  /** What they hold to be there now, by name. */
  present(): ReadonlyMap<string, string>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** As long as the server is away, a little between tries. */
const AGAIN_MS = 50;

/** An informer of client-node. It does not start anew by itself after an error: whoever uses it does. */
export function informerFollower(
  config: KubeConfig,
  core: CoreV1Api,
  namespace: string,
  labelSelector?: string,
): Follower {
  const heard: Write[] = [];
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const list = () =>
    core.listNamespacedConfigMap({ namespace, ...(labelSelector === undefined ? {} : { labelSelector }) });
  const informer = makeInformer(config, path, list, labelSelector);
  for (const verb of ['add', 'update'] as const) informer.on(verb, (map: V1ConfigMap) => void heard.push(put(map)));
  informer.on('delete', ({ metadata }: V1ConfigMap) => {
    heard.push({ type: 'delete', name: metadata?.name ?? '', revision: metadata?.resourceVersion });
  });
  let wanted = false;
  const again = (): void => {
    // It fails, where the server is away while it lists.
    if (wanted) setTimeout(() => wanted && void informer.start().catch(again), AGAIN_MS);
  };
  informer.on('error', again);
  return {
    heard,
    present: () => new Map(informer.list().map((map) => [map.metadata?.name ?? '', map.data?.['value'] ?? ''])),
    start: async () => {
      wanted = true;
      await informer.start();
    },
    stop: async () => {
      wanted = false;
      await informer.stop();
    },
  };
}

/** A bare watch that goes on from the last version it saw: every event as it came, with nothing in between to mend it. */
export function watchFollower(config: KubeConfig, namespace: string, from: string): Follower {
  const heard: Write[] = [];
  const present = new Map<string, string>();
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  let last = from;
  let wanted = false;
  let request: AbortController | undefined;
  const hear = (phase: string, map: V1ConfigMap): void => {
    last = map.metadata?.resourceVersion ?? last;
    const name = map.metadata?.name ?? '';
    if (phase === 'DELETED') {
      heard.push({ type: 'delete', name, revision: last });
      present.delete(name);
    } else if (phase === 'ADDED' || phase === 'MODIFIED') {
      heard.push(put(map));
      present.set(name, map.data?.['value'] ?? '');
    } else if (phase === 'ERROR') throw new Error(`watch: ${JSON.stringify(map)}`);
  };
  const follow = async (): Promise<void> => {
    const again = (): void => {
      if (wanted) setTimeout(() => void follow(), AGAIN_MS);
    };
    request = await new Watch(config).watch(path, { resourceVersion: last, allowWatchBookmarks: true }, hear, again);
  };
  return {
    heard,
    present: () => present,
    start: async () => {
      wanted = true;
      await follow();
    },
    stop: async () => {
      wanted = false;
      request?.abort();
    },
  };
}

function put({ metadata, data }: V1ConfigMap): Write {
  return {
    type: 'put',
    name: metadata?.name ?? '',
    revision: metadata?.resourceVersion,
    value: data?.['value'] ?? '',
  };
}
