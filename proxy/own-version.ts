import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** From package.json, which lies one folder up, or two in the published package, three when bundled. */
export function ownVersion(): string {
  for (const up of ['..', join('..', '..'), join('..', '..', '..')]) {
    try {
      const { version } = JSON.parse(readFileSync(join(import.meta.dirname, up, 'package.json'), 'utf8')) as {
        version: string;
      };
      return version;
    } catch {
      // Not there: look further up.
    }
  }
  return '';
}
