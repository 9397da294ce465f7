import type { Client } from '../../api/client/client.ts';
import { Informer } from '../../api/client/informer.ts';
import { type ConfigMap, configMapKind } from '../../api/kinds/config-map.ts';
import type { Kind, KubeObject } from '../../api/kinds/kind.ts';
import { type Secret, secretKind } from '../../api/kinds/secret.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import { ConfigError } from '../environment/config-error.ts';
import type { ConfigReferences } from '../environment/config-references.ts';
import type { ConfigObjects } from '../environment/container-environment.ts';

export interface ConfigCacheOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What one pod sees of the cache. Released when the pod is gone. */
export interface ConfigView {
  readonly objects: ConfigObjects;
  /** Resolves when all that the pod names has been looked for; rejects with ConfigError when that takes too long. */
  synced(): Promise<void>;
  release(): Promise<void>;
}

interface Watched<T extends KubeObject> {
  readonly informer: Informer<T>;
  readonly listeners: Set<() => void>;
}

// A pod is not held up longer than this by an API server that is away: it says why it waits, and tries again.
const SYNC_WITHIN_MS = 10_000;

/**
 * The ConfigMaps and Secrets that this node's pods name, each watched by itself: an agent sees no other (the kubelet's
 * watch-based managers do the same). When the API server is away, what was seen last still serves restarts.
 */
export class ConfigCache {
  readonly #options: ConfigCacheOptions;
  readonly #configMaps = new Map<string, Watched<ConfigMap>>();
  readonly #secrets = new Map<string, Watched<Secret>>();

  constructor(options: ConfigCacheOptions) {
    this.#options = options;
  }

  /** `onChange` is called when something that the pod names has changed. */
  view(namespace: string, references: ConfigReferences, onChange: () => void): ConfigView {
    const maps = references.configMaps.map((name) =>
      this.#watch(this.#configMaps, configMapKind, namespace, name, onChange),
    );
    const secrets = references.secrets.map((name) => this.#watch(this.#secrets, secretKind, namespace, name, onChange));
    const configMap = (name: string): ConfigMap | undefined => lookUp(this.#configMaps, namespace, name);
    const secret = (name: string): Secret | undefined => lookUp(this.#secrets, namespace, name);
    return {
      objects: { configMap, secret },
      synced: () => this.#synced([...maps, ...secrets].map(({ informer }) => informer.synced)),
      release: async () => {
        await Promise.all([
          ...references.configMaps.map((name) => release(this.#configMaps, namespace, name, onChange)),
          ...references.secrets.map((name) => release(this.#secrets, namespace, name, onChange)),
        ]);
      },
    };
  }

  async close(): Promise<void> {
    const all = [...this.#configMaps.values(), ...this.#secrets.values()];
    this.#configMaps.clear();
    this.#secrets.clear();
    await Promise.all(all.map(({ informer }) => informer.close()));
  }

  #watch<T extends KubeObject>(
    watched: Map<string, Watched<T>>,
    kind: Kind<T>,
    namespace: string,
    name: string,
    onChange: () => void,
  ): Watched<T> {
    const key = `${namespace}/${name}`;
    const present = watched.get(key);
    if (present !== undefined) {
      present.listeners.add(onChange);
      return present;
    }
    const listeners = new Set([onChange]);
    const tell = (): void => {
      for (const listener of listeners) listener();
    };
    const informer = new Informer(
      { ...this.#options, kind, namespace, fieldSelector: `metadata.name=${name}` },
      { onAdd: tell, onUpdate: tell, onDelete: tell },
    );
    const made = { informer, listeners };
    watched.set(key, made);
    return made;
  }

  async #synced(all: readonly Promise<void>[]): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = this.#options.clock.timer(SYNC_WITHIN_MS, () => {
      late.reject(new ConfigError('the API server has not answered for its ConfigMaps and Secrets'));
    });
    try {
      await Promise.race([Promise.all(all), late.promise]);
    } finally {
      timer.stop();
    }
  }
}

function lookUp<T extends KubeObject>(
  watched: ReadonlyMap<string, Watched<T>>,
  namespace: string,
  name: string,
): T | undefined {
  return watched.get(`${namespace}/${name}`)?.informer.get(`${namespace}/${name}`);
}

async function release<T extends KubeObject>(
  watched: Map<string, Watched<T>>,
  namespace: string,
  name: string,
  onChange: () => void,
): Promise<void> {
  const key = `${namespace}/${name}`;
  const present = watched.get(key);
  present?.listeners.delete(onChange);
  if (present === undefined || present.listeners.size > 0) return;
  watched.delete(key);
  await present.informer.close();
}
