import { ApiException, type CoreV1Api, type V1ConfigMap } from '@kubernetes/client-node';
import { seededRandom } from '../../kit/random.ts';
import { eventually } from '../support/eventually.ts';

/** One acknowledged write: the revision it got (a deletion's answer has none) and what it left. */
export interface Write {
  readonly type: 'put' | 'delete';
  readonly name: string;
  readonly revision?: string | undefined;
  readonly value?: string;
}

export interface Writer {
  /** Writes without a pause until the signal aborts, over failures of the server. */
  run(signal: AbortSignal): Promise<void>;
  /** By name, in the order of their acknowledgement: nobody else writes these names. */
  readonly writes: ReadonlyMap<string, readonly Write[]>;
}

/** Creates, changes and deletes ConfigMaps of its own names, and keeps a record of what it did. */
export function writer(core: CoreV1Api, namespace: string, names: readonly string[], seed: number): Writer {
  const random = seededRandom(seed);
  const writes = new Map<string, Write[]>(names.map((name) => [name, []]));
  let count = 0;

  const body = (name: string, value: string, resourceVersion?: string): V1ConfigMap => ({
    metadata: { name, labels: labelsOf(name), ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    data: { value },
  });

  const writeOnce = async (name: string): Promise<void> => {
    const record = writes.get(name) ?? [];
    const last = record.at(-1);
    count += 1;
    const value = `${seed}-${count}`;
    if (last === undefined || last.type === 'delete') {
      const made = await certain(
        () => core.createNamespacedConfigMap({ namespace, body: body(name, value) }),
        async () => {
          const found = await read(core, namespace, name);
          return found?.data?.['value'] === value ? found : undefined;
        },
      );
      record.push({ type: 'put', name, revision: made.metadata?.resourceVersion, value });
    } else if (random() < 0.15) {
      await certain(
        async () => (await core.deleteNamespacedConfigMap({ namespace, name })) as unknown,
        async () => ((await read(core, namespace, name)) === undefined ? {} : undefined),
      );
      record.push({ type: 'delete', name });
    } else {
      const made = await certain(
        () => core.replaceNamespacedConfigMap({ namespace, name, body: body(name, value, last.revision) }),
        async () => {
          const found = await read(core, namespace, name);
          return found?.data?.['value'] === value ? found : undefined;
        },
      );
      record.push({ type: 'put', name, revision: made.metadata?.resourceVersion, value });
    }
  };

  return {
    writes,
    run: async (signal) => {
      while (!signal.aborted) await writeOnce(names[Math.floor(random() * names.length)] ?? '');
    },
  };
}

/** Names of even number have a label, so that a selector has something to select. */
export function labelsOf(name: string): Record<string, string> {
  return { half: Number(name.at(-1)) % 2 === 0 ? 'even' : 'odd' };
}

/**
 * The answer to a write, or, when the server went away before it came, what a look says: whether it was done. Done anew
 * when it was not.
 */
async function certain<T>(write: () => Promise<T>, wasDone: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (error instanceof ApiException && error.code < 500 && error.code !== 409 && error.code !== 404) throw error;
    }
    const found = await eventually('the server answers again', async () => ({ done: await wasDone() }));
    if (found.done !== undefined) return found.done;
  }
}

async function read(core: CoreV1Api, namespace: string, name: string): Promise<V1ConfigMap | undefined> {
  try {
    return await core.readNamespacedConfigMap({ namespace, name });
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined;
    throw error;
  }
}
