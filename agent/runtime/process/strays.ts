import type { Clock } from '../../../kit/clock.ts';
import { processesWithEnvironment } from './host/proc-table.ts';
import { RUN_ID, reap } from './host/reap.ts';

/** In the environment of all that an agent starts: the agent's folder, which no other agent on this host has. */
export const AGENT_MARK = 'TUTTI_AGENT_FOLDER';

/**
 * Kills what an earlier agent with this folder started and of which nothing is written down any more: somebody has taken
 * the folder away. `known` are the ids of runs that are. Gives how many runs were killed.
 */
export async function reapStrays(agentFolder: string, known: readonly string[], clock: Clock): Promise<number> {
  const ours = new Set(processesWithEnvironment(AGENT_MARK, agentFolder).map(({ pid }) => pid));
  const ids = processesWithEnvironment(RUN_ID)
    .filter(({ pid }) => ours.has(pid))
    .map(({ value }) => value);
  const strays = [...new Set(ids)].filter((id) => !known.includes(id));
  await Promise.all(strays.map((id) => reap({ id, leader: { pid: 0, startTicks: '' } }, clock)));
  return strays.length;
}
