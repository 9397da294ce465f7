import { join } from 'node:path';
import { readTextIfPresent } from '../../kit/disk.ts';

/** Where the agent of a state folder answers DNS, whatever port it was given. Undefined when nothing says. */
export async function keptDnsServer(stateFolder: string): Promise<string | undefined> {
  const text = await readTextIfPresent(join(stateFolder, 'ports.json'));
  try {
    const { dns } = JSON.parse(text ?? '') as { readonly dns?: number };
    return dns === undefined ? undefined : `127.0.0.1:${dns}`;
  } catch {
    // None yet, or cut short by a crash: the next start writes it anew.
    return undefined;
  }
}
