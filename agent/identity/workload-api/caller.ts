/** What of a process decides whose it is. */
export interface ProcessLineage {
  readonly parent: number;
  readonly session: number;
}

export type Caller<Owner> =
  | { readonly ok: true; readonly owner: Owner }
  /** For the log: why the process is nobody's. */
  | { readonly ok: false; readonly why: string };

// Deeper than any real tree; a table read while processes come and go may show a loop.
const MAX_DEPTH = 64;

/**
 * Whose process it is: one of the sessions that the agent has begun, or a descendant of their first processes. Neither can be
 * chosen by a process: sessions and parents come from fork(2) alone, and setsid(2) only leads out of a session. Environment, command line and
 * working directory tell nothing, because a process can change them.
 */
export function findCaller<Owner>(
  pid: number,
  leaders: ReadonlyMap<number, Owner>,
  lineage: (pid: number) => ProcessLineage | undefined,
): Caller<Owner> {
  let at = pid;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const own = leaders.get(at);
    if (own !== undefined) return { ok: true, owner: own };
    const process = lineage(at);
    if (process === undefined) return { ok: false, why: `process ${at} has ended` };
    const bySession = leaders.get(process.session);
    if (bySession !== undefined) return { ok: true, owner: bySession };
    if (process.parent <= 1) break;
    at = process.parent;
  }
  return { ok: false, why: `process ${pid} is of no pod of this node` };
}
