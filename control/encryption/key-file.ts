import { open } from 'node:fs/promises';
import { writeFileAtomic } from '../../kit/disk.ts';
import { type EncryptionKey, formatKey, parseKey } from './encryption-key.ts';

/** Encryption cannot be used as it is; nothing was changed. The message says what to do. */
export class EncryptionRefusedError extends Error {
  override readonly name = 'EncryptionRefusedError';
}

const MAX_FILE_BYTES = 64 * 1024;

const INTRODUCTION = `# Keys for the Secrets in the store (AES-256, base64): the first writes, all read. Whoever loses this file loses the
# Secrets; whoever has it and the store can read them. "tutti store rotate-key" puts a new key first.
`;

/** The keys of a file, undefined when there is none. Throws EncryptionRefusedError when others may read it or it holds no keys. */
export async function readKeyFile(path: string): Promise<readonly [EncryptionKey, ...EncryptionKey[]] | undefined> {
  const text = await readPrivate(path);
  if (text === undefined) return undefined;
  const keys: EncryptionKey[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    const key = parseKey(content);
    if (key === undefined) {
      throw refused(path, `line ${index + 1} is no key: base64 of 32 bytes was wanted; put the file back as it was`);
    }
    keys.push(key);
  }
  const [first, ...rest] = keys;
  if (first === undefined) throw refused(path, 'holds no key; put the file back as it was');
  return [first, ...rest];
}

export async function writeKeyFile(path: string, keys: readonly EncryptionKey[]): Promise<void> {
  const lines = keys.map((key) => `${formatKey(key)}\n`);
  try {
    await writeFileAtomic(path, INTRODUCTION + lines.join(''), { mode: 0o600 });
  } catch (error) {
    throw refused(path, `cannot be written (${(error as Error).message}); let this user write its folder`, error);
  }
}

/** Permissions are looked at on the opened file, so that it is the one that is read. */
async function readPrivate(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const { mode, size } = await file.stat();
      if ((mode & 0o077) !== 0) {
        const shown = (mode & 0o777).toString(8).padStart(4, '0');
        throw refused(path, `others may read or write it (mode ${shown}); run: chmod 600 "${path}"`);
      }
      if (size > MAX_FILE_BYTES) throw refused(path, `has ${size} bytes: that is no key file`);
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof EncryptionRefusedError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw refused(path, `cannot be read (${(error as Error).message}); let this user, and nobody else, read it`, error);
  }
}

function refused(path: string, why: string, cause?: unknown): EncryptionRefusedError {
  return new EncryptionRefusedError(`encryption key file "${path}": ${why}`, cause === undefined ? {} : { cause });
}
