import { createHash, randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfPresent, writeFileAtomic } from '../../kit/disk.ts';
import type { Store } from '../store/store.ts';
import { type Bundle, KEY_BYTES, openBundle, sealBundle } from './sealed-bundle.ts';

/** The keys of the cluster cannot be shared as things are; nothing was changed. The message says what to do. */
export class SharedAuthorityError extends Error {
  override readonly name = 'SharedAuthorityError';
}

export interface SharedAuthorityOptions {
  readonly stateFolder: string;
  /** The file that opens what is kept in the store: given to every control plane by whoever runs them. */
  readonly keyPath: string;
}

/** Beside all objects in the store, under no kind's prefix. */
const STORE_KEY = '/tutti.dev/control/authority';

/** What every control plane of a cluster must have alike: the CA, the key of service-account tokens, the keys of Secrets. */
const FOLDERS = ['ca'];
const FILES = ['encryption.key'];
/** What the files were when they were last the same as the store's. */
const MARK = join('ca', '.shared');
const SECRET = { mode: 0o600 };

/** The files that one state folder has, and what the store has of them. */
export class SharedAuthority {
  readonly #options: SharedAuthorityOptions;

  constructor(options: SharedAuthorityOptions) {
    this.#options = options;
  }

  /**
   * Takes the cluster's files from the store. False when the store has none yet: then whoever leads first gives its own. Throws
   * SharedAuthorityError when they cannot be opened, or this folder has others of its own.
   */
  async take(store: Pick<Store, 'get'>): Promise<boolean> {
    const { stateFolder } = this.#options;
    const entry = await store.get(STORE_KEY);
    if (entry === undefined) return false;
    const bundle = await this.#open(entry.value);
    const own = await readBundle(stateFolder);
    const digest = digestOf(bundle);
    if (digestOf(own) === digest) return true;
    const untouched = Object.keys(own).length === 0 || (await this.#mark()) === digestOf(own);
    if (!untouched) {
      const folder = join(stateFolder, 'ca');
      throw new SharedAuthorityError(
        `certificate authority "${folder}": is not the one of the cluster in the store; move the folder aside to take the cluster's, or name another store`,
      );
    }
    for (const [path, text] of Object.entries(bundle)) {
      await writeFileAtomic(join(stateFolder, path), text, path.endsWith('.crt') ? {} : SECRET);
    }
    await this.#setMark(digest);
    return true;
  }

  /** Gives the store this folder's files when they have changed since they were the same. Only the leader may. */
  async give(store: Pick<Store, 'get' | 'transact'>): Promise<void> {
    const { stateFolder } = this.#options;
    const bundle = await readBundle(stateFolder);
    const digest = digestOf(bundle);
    if ((await this.#mark()) === digest) return;
    const entry = await store.get(STORE_KEY);
    if (entry === undefined || digestOf(await this.#open(entry.value)) !== digest) {
      const value = sealBundle(bundle, (await this.#key()) ?? (await this.#makeKey()));
      const compare = [{ key: STORE_KEY, revision: entry?.revision ?? 0 }];
      const { ok } = await store.transact({ compare, put: [{ key: STORE_KEY, value }], delete: [] });
      if (!ok) return;
    }
    await this.#setMark(digest);
  }

  async #open(sealed: string): Promise<Bundle> {
    const { keyPath } = this.#options;
    const key = await this.#key();
    if (key === undefined) {
      throw new SharedAuthorityError(
        `store key "${keyPath}": not found, and the cluster's certificate authority in the store opens with it; copy the file from a control plane of the cluster (its state folder has it), or name it with --store-key`,
      );
    }
    const bundle = openBundle(sealed, key);
    if (bundle !== undefined) return bundle;
    throw new SharedAuthorityError(
      `store key "${keyPath}": does not open the certificate authority in the store; it is another cluster's: copy the file from a control plane of this one`,
    );
  }

  async #key(): Promise<Buffer | undefined> {
    const { keyPath } = this.#options;
    const text = await readTextIfPresent(keyPath);
    if (text === undefined) return undefined;
    const { mode } = await stat(keyPath);
    if ((mode & 0o077) !== 0) {
      throw new SharedAuthorityError(
        `store key "${keyPath}": has mode ${(mode & 0o777).toString(8)}, 600 is wanted; run "chmod 600 ${keyPath}"`,
      );
    }
    const key = Buffer.from(text.trim(), 'base64');
    if (key.length === KEY_BYTES) return key;
    throw new SharedAuthorityError(
      `store key "${keyPath}": holds ${key.length} bytes, ${KEY_BYTES} in base64 are wanted; copy the file anew, or make one with: openssl rand -base64 32`,
    );
  }

  async #makeKey(): Promise<Buffer> {
    const key = randomBytes(KEY_BYTES);
    await writeFileAtomic(this.#options.keyPath, `${key.toString('base64')}\n`, SECRET);
    return key;
  }

  async #mark(): Promise<string> {
    return (await readTextIfPresent(join(this.#options.stateFolder, MARK))) ?? '';
  }

  async #setMark(digest: string): Promise<void> {
    const path = join(this.#options.stateFolder, MARK);
    await writeFileAtomic(path, digest, { ...SECRET });
  }
}

async function readBundle(stateFolder: string): Promise<Bundle> {
  const paths = [...FILES];
  for (const folder of FOLDERS) {
    const names = await readdir(join(stateFolder, folder), { withFileTypes: true }).catch(() => []);
    for (const name of names) if (name.isFile() && !name.name.startsWith('.')) paths.push(join(folder, name.name));
  }
  const bundle: Record<string, string> = {};
  for (const path of paths.sort()) {
    const text = await readTextIfPresent(join(stateFolder, path));
    if (text !== undefined) bundle[path] = text;
  }
  return bundle;
}

/** Of the whole; an order of its own, so that JSON's does not matter. */
function digestOf(bundle: Bundle): string {
  const hash = createHash('sha256');
  for (const [path, text] of Object.entries(bundle).sort(([one], [other]) => (one < other ? -1 : 1))) {
    hash.update(`${path} ${text.length}\n${text}`);
  }
  return hash.digest('hex');
}
