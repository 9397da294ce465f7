import { existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type HttpClient, httpClient } from '../../api/client/http-client.ts';
import { readKubeconfig } from '../../api/client/kubeconfig.ts';
import { EncryptionRefusedError, readKeyFile } from '../../control/encryption/key-file.ts';
import { type KeyRotation, openEncryption } from '../../control/encryption/open-encryption.ts';
import { encryptionKeyFile, STORE_FILE } from '../../control/state-folder.ts';
import { type FileSummary, inspectFile } from '../../control/store/sqlite/inspect.ts';
import { MaintenanceBusyError } from '../../control/store/sqlite/maintenance.ts';
import { StoreRefusedError } from '../../control/store/sqlite/refusal.ts';
import { type Restored, restoreStore } from '../../control/store/sqlite/restore.ts';
import { openSqliteStore, type SqliteStore } from '../../control/store/sqlite/sqlite-store.ts';
import { type Compaction, type StoreStatus, storeService } from '../../control/store-service.ts';
import { silentLog } from '../../kit/log.ts';
import { makeFolder } from '../../kit/make-folder.ts';
import type { CommandContext } from '../cluster/context.ts';
import { CommandError } from '../output/exit-codes.ts';
import { folderHolder, lockFolder } from '../up/lock.ts';

export interface StoreSettings {
  readonly stateFolder: string;
  /** As the control plane was told it. */
  readonly encryptionKey: string | undefined;
}

/** Hears how far the work is, 0 to 1, where that is known. */
export type Tell = (share: number) => void;

export interface Backup extends FileSummary {
  readonly file: string;
}

export interface RestoredStore extends Restored {
  readonly file: string;
  /** Keys that its Secrets need and the key file does not have. */
  readonly missingKeys: readonly string[];
}

/** Copies the store to a new file and reads the copy whole; a copy that is not sound, or not complete, leaves no file. */
export function backupStore(context: CommandContext, settings: StoreSettings, to: string, tell: Tell): Promise<Backup> {
  return inWords(async () => {
    if (existsSync(to)) {
      throw new CommandError(`"${to}": is there already`, { hint: 'choose another name, or remove it' });
    }
    const part = `${to}.part`;
    await rm(part, { force: true });
    makeFolder(dirname(to));
    try {
      await withStore(context, settings, {
        running: (client) => receive(client, part, { signal: context.signal, tell }),
        stopped: (store) => store.maintenance.copyTo(part, tell),
      });
      const summary = inspectFile(part);
      await rename(part, to);
      return { file: to, ...summary };
    } finally {
      await rm(part, { force: true });
    }
  });
}

/** Puts a backup in the store's place; what was there is kept aside. Refused while a control plane has the folder. */
export function restoreBackup(
  context: CommandContext,
  settings: StoreSettings,
  backup: string,
): Promise<RestoredStore> {
  const { stateFolder } = settings;
  return inWords(async () => {
    const holder = await folderHolder(stateFolder, 'control');
    if (holder !== undefined) {
      throw new CommandError(`state folder "${stateFolder}": its control plane runs (process ${holder.pid})`, {
        hint: `stop it (Ctrl-C there, or "kill ${holder.pid}"), restore, and start it again`,
      });
    }
    // A backup that is not sound is refused before a folder is made.
    inspectFile(backup);
    const lock = await lockFolder(stateFolder, 'control');
    try {
      const file = join(stateFolder, STORE_FILE);
      const restored = restoreStore({ backup, path: file, nowMs: context.clock.now() });
      const keys = (await readKeyFile(encryptionKeyFile(stateFolder, settings.encryptionKey).keyFile)) ?? [];
      const missingKeys = restored.encryptionKeys.filter((id) => !keys.some((key) => key.id === id));
      return { file, ...restored, missingKeys };
    } finally {
      await lock.release();
    }
  });
}

export function compactStore(context: CommandContext, settings: StoreSettings): Promise<Compaction> {
  return inWords(() =>
    withStore(context, settings, {
      running: async (client) => (await client.request('POST', '/tutti/store/compact')) as Compaction,
      stopped: (_store, service) => service.compact(),
    }),
  );
}

export function storeStatus(context: CommandContext, settings: StoreSettings): Promise<StoreStatus> {
  return inWords(() =>
    withStore(context, settings, {
      running: async (client) => (await client.request('GET', '/tutti/store')) as StoreStatus,
      stopped: (_store, service) => service.status(),
    }),
  );
}

/** A new key for Secrets, and all of them sealed with it. */
export function rotateKey(
  context: CommandContext,
  settings: StoreSettings,
  old: 'keep' | 'drop',
): Promise<KeyRotation> {
  return inWords(() =>
    withStore(context, settings, {
      running: async (client) => (await client.request('POST', `/tutti/store/rotate-key?old=${old}`)) as KeyRotation,
      stopped: (_store, service) => service.rotateKey({ old }),
    }),
  );
}

interface Ways<T> {
  /** A control plane has the store open, and no other process may: it is asked. */
  readonly running: (client: HttpClient) => Promise<T>;
  readonly stopped: (store: SqliteStore, service: ReturnType<typeof storeService>) => Promise<T>;
}

async function withStore<T>(context: CommandContext, settings: StoreSettings, ways: Ways<T>): Promise<T> {
  const { stateFolder } = settings;
  const path = join(stateFolder, STORE_FILE);
  if ((await folderHolder(stateFolder, 'control')) !== undefined) {
    const client = httpClient({ ...(await readKubeconfig(join(stateFolder, 'kubeconfig'))), userAgent: 'tutti' });
    try {
      return await ways.running(client);
    } finally {
      await client.close();
    }
  }
  if (!existsSync(path)) {
    throw new CommandError(`state folder "${stateFolder}": has no store`, {
      hint: 'name the folder of the control plane with --data',
    });
  }
  const lock = await lockFolder(stateFolder, 'control');
  try {
    const store = await openSqliteStore({ path, clock: context.clock, log: silentLog() });
    try {
      const keyFile = encryptionKeyFile(stateFolder, settings.encryptionKey);
      const wipe = (): Promise<void> => store.maintenance.rewrite();
      const keys = (await readKeyFile(keyFile.keyFile).catch(() => undefined)) ?? [];
      // The keys are opened for what needs them alone: a backup needs none.
      const encryption = {
        keys: () => keys.map(({ id }) => id),
        rotate: async (options: { readonly old: 'keep' | 'drop' }): Promise<KeyRotation> =>
          (await openEncryption({ store, ...keyFile, wipe, log: silentLog() })).rotate(options),
      };
      const service = storeService({ store, file: { path, maintenance: store.maintenance }, encryption });
      return await ways.stopped(store, service);
    } finally {
      await store.close();
    }
  } finally {
    await lock.release();
  }
}

async function receive(
  client: HttpClient,
  to: string,
  { signal, tell }: { readonly signal: AbortSignal; readonly tell: Tell },
): Promise<void> {
  const { file: figures } = (await client.request('GET', '/tutti/store')) as StoreStatus;
  const file = await open(to, 'wx', 0o600);
  try {
    let bytes = 0;
    for await (const chunk of client.stream('/tutti/store/backup', { signal })) {
      await file.write(chunk);
      bytes += chunk.length;
      // It may have grown meanwhile.
      if (figures !== undefined) tell(Math.min(1, bytes / figures.fileBytes));
    }
    signal.throwIfAborted();
    await file.sync();
  } finally {
    await file.close();
  }
}

async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (
      error instanceof StoreRefusedError ||
      error instanceof EncryptionRefusedError ||
      error instanceof MaintenanceBusyError
    ) {
      throw new CommandError(error.message, { cause: error });
    }
    if ((error as NodeJS.ErrnoException).syscall !== undefined && !(error instanceof CommandError)) {
      throw new CommandError((error as Error).message, { cause: error });
    }
    throw error;
  }
}
