import type { Outbox } from '../socket/outbox.ts';
import { atTurnEnd, type Flushable } from '../socket/turn-end.ts';
import type { Session } from './session.ts';

/** Sends what a session has written: what many streams say in one turn leaves in one write. */
export class SessionWriter implements Flushable {
  readonly #session: Session;
  readonly #outbox: Outbox;
  #waiting = false;
  #stopped = false;

  constructor(session: Session, outbox: Outbox) {
    this.#session = session;
    this.#outbox = outbox;
  }

  /** Something was written: it leaves at the end of this turn. */
  wrote(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    atTurnEnd(this);
  }

  flush(): void {
    this.#session.settle();
    this.#outbox.flush();
  }

  flushNow(): void {
    this.#waiting = false;
    if (!this.#stopped) this.flush();
  }

  /** The socket is no longer ours to write to. */
  stop(): void {
    this.#stopped = true;
  }
}
