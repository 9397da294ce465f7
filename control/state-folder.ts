import { join } from 'node:path';

/** The embedded store's name in the state folder. */
export const STORE_FILE = 'store.db';

const KEY_FILE = 'encryption.key';

/** Where the keys for Secrets are. A file that a person has named is never made for them: a slip would make a second one. */
export function encryptionKeyFile(
  stateFolder: string,
  named: string | undefined,
): { readonly keyFile: string; readonly makeMissing: boolean } {
  return named === undefined
    ? { keyFile: join(stateFolder, KEY_FILE), makeMissing: true }
    : { keyFile: named, makeMissing: false };
}
