import { accessSync, constants, existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** Whether a program is there, or what a path names. */
export function onPath(program: string): boolean {
  if (isAbsolute(program)) return existsSync(program);
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A line of the test command's own. */
export function say(message: string): void {
  process.stdout.write(`test: ${message}\n`);
}
