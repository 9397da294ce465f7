import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** sun_path of unix(7), less the zero byte at its end. */
const LONGEST_PATH = 107;

/**
 * Where the Workload API's socket of an agent is: in the agent's folder, and where that path is too long for a socket, in a folder of the user's
 * own under the system's temporary one.
 */
export function workloadSocketPath(agentFolder: string, temporary: string, uid: number): string {
  const path = join(agentFolder, 'workload.sock');
  if (Buffer.byteLength(path) <= LONGEST_PATH) return path;
  const name = createHash('sha256').update(agentFolder).digest('hex').slice(0, 16);
  return join(temporary, `tutti-${uid}`, `${name}.sock`);
}
