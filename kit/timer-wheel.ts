import type { Clock, Timer } from './clock.ts';

/** How late an alarm may be. */
export const TICK_MS = 20;
const SLOTS = 512;

/**
 * A deadline that is moved far more often than it passes: one per connection, made once, set on each request. Setting
 * it later costs a store; the wheel looks when the old time comes and files it anew.
 */
export class Alarm {
  /** Monotonic milliseconds; Infinity when nothing is to happen. */
  at = Number.POSITIVE_INFINITY;
  readonly fire: () => void;
  // The wheel's own: the tick at which it looks at this alarm next (-1: not filed), and the neighbours in that slot.
  visitTick = -1;
  previous: Alarm | undefined = undefined;
  next: Alarm | undefined = undefined;

  constructor(fire: () => void) {
    this.fire = fire;
  }
}

/**
 * A coarse timer wheel: any number of alarms on one timer, accurate to a tick (20 ms late at most, beside the event
 * loop's own delay; never early). One round is 512 ticks; later alarms are looked at once a round.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #slots: (Alarm | undefined)[] = Array.from({ length: SLOTS }, () => undefined);
  #doneTick: number;
  #wakeTick = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;
  #filed = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#doneTick = Math.floor(clock.monotonic() / TICK_MS);
  }

  /** How many alarms are filed, those that were cleared and not yet met included. */
  get size(): number {
    return this.#filed;
  }

  set(alarm: Alarm, nowMs: number, delayMs: number): void {
    alarm.at = nowMs + delayMs;
    const tick = Math.ceil(alarm.at / TICK_MS);
    if (alarm.visitTick >= 0) {
      if (alarm.visitTick <= tick) return;
      this.#unlink(alarm);
    }
    this.#file(alarm, tick);
    if (alarm.visitTick < this.#wakeTick) this.#wakeFor(alarm.visitTick);
  }

  /** Nothing will happen; the alarm may be set again. */
  clear(alarm: Alarm): void {
    alarm.at = Number.POSITIVE_INFINITY;
  }

  /** As clear, and the wheel forgets it at once: for owners that go away. */
  remove(alarm: Alarm): void {
    alarm.at = Number.POSITIVE_INFINITY;
    if (alarm.visitTick >= 0) this.#unlink(alarm);
  }

  close(): void {
    this.#timer?.stop();
    this.#timer = undefined;
    this.#wakeTick = Number.NEGATIVE_INFINITY;
  }

  #file(alarm: Alarm, tick: number): void {
    const visit = Math.min(Math.max(tick, this.#doneTick + 1), this.#doneTick + SLOTS);
    const slot = visit % SLOTS;
    const first = this.#slots[slot];
    alarm.visitTick = visit;
    alarm.previous = undefined;
    alarm.next = first;
    if (first !== undefined) first.previous = alarm;
    this.#slots[slot] = alarm;
    this.#filed++;
  }

  #unlink(alarm: Alarm): void {
    if (alarm.previous === undefined) this.#slots[alarm.visitTick % SLOTS] = alarm.next;
    else alarm.previous.next = alarm.next;
    if (alarm.next !== undefined) alarm.next.previous = alarm.previous;
    alarm.previous = undefined;
    alarm.next = undefined;
    alarm.visitTick = -1;
    this.#filed--;
  }

  #wakeFor(tick: number): void {
    this.#timer?.stop();
    this.#wakeTick = tick;
    const delay = Math.max(0, tick * TICK_MS - this.#clock.monotonic());
    this.#timer = this.#clock.timer(delay, () => this.#turn());
  }

  #turn(): void {
    const now = this.#clock.monotonic();
    const until = Math.floor(now / TICK_MS);
    // While the turn runs, alarms that are set must not start timers: the end of the turn plans the next one.
    this.#wakeTick = Number.NEGATIVE_INFINITY;
    this.#timer = undefined;
    const slotsToVisit = Math.min(until - this.#doneTick, SLOTS);
    this.#doneTick = until;
    for (let back = slotsToVisit - 1; back >= 0; back--) this.#visit((until - back) % SLOTS, now);
    this.#planNext();
  }

  #visit(slot: number, now: number): void {
    let alarm = this.#slots[slot];
    const due: Alarm[] = [];
    while (alarm !== undefined) {
      const next: Alarm | undefined = alarm.next;
      if (alarm.visitTick <= this.#doneTick) {
        this.#unlink(alarm);
        if (alarm.at <= now) due.push(alarm);
        else if (alarm.at !== Number.POSITIVE_INFINITY) this.#file(alarm, Math.ceil(alarm.at / TICK_MS));
      }
      alarm = next;
    }
    for (const late of due) {
      // An alarm that fired earlier in this turn may have moved or cleared this one.
      if (late.at <= now) {
        late.at = Number.POSITIVE_INFINITY;
        late.fire();
      } else if (late.visitTick < 0 && late.at !== Number.POSITIVE_INFINITY) {
        this.#file(late, Math.ceil(late.at / TICK_MS));
      }
    }
  }

  #planNext(): void {
    if (this.#filed === 0) {
      this.#wakeTick = Number.POSITIVE_INFINITY;
      return;
    }
    let tick = this.#doneTick + 1;
    while (this.#slots[tick % SLOTS] === undefined) tick++;
    this.#wakeFor(tick);
  }
}
