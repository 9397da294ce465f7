/** Something that has gathered what is to be written. */
export interface Flushable {
  flushNow(): void;
}

let waiting: Flushable[] = [];

/**
 * Flushes at the end of this turn of the event loop, when every socket that had something to read has been read: what many
 * streams of one connection have to say leaves in one write. The caller asks once until it is flushed.
 */
export function atTurnEnd(flushable: Flushable): void {
  if (waiting.push(flushable) === 1) setImmediate(flushAll);
}

function flushAll(): void {
  const flushables = waiting;
  waiting = [];
  for (const flushable of flushables) flushable.flushNow();
}
