import { constants } from 'node:os';

/** `SIGKILL` for 9. A number that this system has no name for is told as it is. */
export function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? `signal ${number}`;
}
