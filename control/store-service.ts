import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nameSuffix } from '../kit/ids.ts';
import type { Encryption, KeyRotation } from './encryption/open-encryption.ts';
import type { FileFigures, Maintenance } from './store/sqlite/maintenance.ts';
import type { Store } from './store/store.ts';

export interface StoreStatus {
  readonly revision: number;
  readonly keys: number;
  /** Of a store that is a file. */
  readonly file?: FileFigures;
  /** Ids of the keys for Secrets; the first writes. */
  readonly encryptionKeys: readonly string[];
}

export interface Compaction {
  readonly revision: number;
  readonly before?: FileFigures;
  readonly after?: FileFigures;
}

/** A copy of the store in a file that goes when `dispose` is called. */
export interface StoreCopy {
  readonly path: string;
  dispose(): void;
}

/** What an operator does with the store of a control plane, whether it runs or not. */
export interface StoreService {
  status(): Promise<StoreStatus>;
  /** Undefined when the store is no file: its own program makes backups then. Throws MaintenanceBusyError. */
  copy(): Promise<StoreCopy | undefined>;
  /** Forgets all history, so that every watch that is behind lists anew, and gives free space back. Throws MaintenanceBusyError. */
  compact(): Promise<Compaction>;
  rotateKey(options: { readonly old: 'keep' | 'drop' }): Promise<KeyRotation>;
}

export interface ServicedStore {
  readonly store: Store;
  /** Of a store that is a file. */
  readonly file?: { readonly path: string; readonly maintenance: Maintenance };
  readonly encryption: Pick<Encryption, 'keys' | 'rotate'>;
}

/** Copies on their way to whoever asked; what a killed process left of them is removed at the next start. */
const COPY_PREFIX = '.store-copy-';

export function storeService({ store, file, encryption }: ServicedStore): StoreService {
  if (file !== undefined) removeLeftCopies(dirname(file.path));
  return {
    status: async () => {
      const { entries, remaining, revision } = await store.list('', { limit: 1 });
      const figures = file === undefined ? {} : { file: file.maintenance.figures() };
      return { revision, keys: entries.length + remaining, ...figures, encryptionKeys: encryption.keys() };
    },
    copy: async () => {
      if (file === undefined) return undefined;
      const path = join(dirname(file.path), COPY_PREFIX + nameSuffix(10));
      await file.maintenance.copyTo(path);
      return { path, dispose: () => rmSync(path, { force: true }) };
    },
    compact: async () => {
      const before = file?.maintenance.figures();
      const revision = await store.revision();
      await store.compact(revision);
      await file?.maintenance.shrink();
      const after = file?.maintenance.figures();
      return { revision, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
    },
    rotateKey: (options) => encryption.rotate(options),
  };
}

function removeLeftCopies(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith(COPY_PREFIX)) rmSync(join(folder, name), { force: true });
  }
}
