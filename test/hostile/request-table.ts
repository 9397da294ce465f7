import type { HostileRequest } from './hostile-request.ts';
import { CONNECTIONS } from './requests/connections.ts';
import { FRAMING } from './requests/framing.ts';
import { HEADS } from './requests/heads.ts';
import { LIMITS } from './requests/limits.ts';
import { PATHS } from './requests/paths.ts';

/** Every hostile, broken or odd request that we know of. */
export const REQUESTS: readonly HostileRequest[] = [...FRAMING, ...HEADS, ...PATHS, ...LIMITS, ...CONNECTIONS];
