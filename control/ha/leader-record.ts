import type { Store } from '../store/store.ts';

/** Who leads, and where: written by each leader when it serves. */
export interface LeaderRecord {
  readonly holder: string;
  readonly epoch: number;
  readonly api: { readonly host: string; readonly port: number };
  readonly xds: { readonly host: string; readonly port: number };
}

const STORE_KEY = '/tutti.dev/control/leader';

export async function readLeader(store: Pick<Store, 'get'>): Promise<LeaderRecord | undefined> {
  const entry = await store.get(STORE_KEY);
  return entry === undefined ? undefined : (JSON.parse(entry.value) as LeaderRecord);
}

/** Through the leader's own store, which refuses it once another leads. */
export async function writeLeader(store: Pick<Store, 'transact'>, record: LeaderRecord): Promise<void> {
  await store.transact({ compare: [], put: [{ key: STORE_KEY, value: JSON.stringify(record) }], delete: [] });
}
