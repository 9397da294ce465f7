import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** Where the test command puts programs that no package manager brings (kubectl and such). */
const toolFolder = join(root, '.tools', 'bin');

/**
 * The program's path: from `.tools/bin`, then PATH, then the system folders that a plain user's PATH leaves out. What has a
 * path of its own (a Python package's folder) is looked for there.
 */
export function findProgram(name: string): string | undefined {
  if (isAbsolute(name)) return isExecutable(name) ? name : undefined;
  const folders = [toolFolder, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** As {@link findProgram}, for code that runs only where `needs` has let it. */
export function program(name: string): string {
  const found = findProgram(name);
  if (found === undefined)
    throw new Error(`program "${name}": not found; run "npm test" as root on Debian to have it installed`);
  return found;
}

/**
 * Options for a test that needs programs: skipped, with their names, where they are missing. In CI (`CI=true`) nothing
 * is skipped: the test runs and fails.
 */
export function needs(...names: readonly string[]): { readonly skip: string | false } {
  if (process.env['CI'] === 'true') return { skip: false };
  const missing = names.filter((name) => findProgram(name) === undefined);
  return { skip: missing.length === 0 ? false : `needs ${missing.join(', ')}` };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
