import { type Backoff, backoffMs } from '../../kit/backoff.ts';
import type { Random } from '../../kit/random.ts';

/** podInitialBackoffSeconds and podMaxBackoffSeconds of kube-scheduler. */
const BACKOFF: Backoff = { baseMs: 1000, maxMs: 10_000 };

/** A pod that no event brought back is tried again after this (podMaxInUnschedulablePodsDuration). */
const FLUSH_AFTER_MS = 5 * 60_000;

export interface QueuedPod {
  readonly uid: string;
  /** `namespace/name` */
  readonly key: string;
  readonly priority: number;
  /** Its creationTimestamp: the longest waiting goes first. */
  readonly since: string;
}

interface Entry extends QueuedPod {
  readonly attempts: number;
  /** active: next in turn. parked: no node had room; something must change first. */
  readonly state: 'active' | 'parked';
  /** Not before this; for a parked one: not before this when something changes. */
  readonly notBefore: number;
  readonly parkedAt: number;
}

/** Pods without a node, in the order in which they are tried. Times are monotonic milliseconds. */
export class SchedulingQueue {
  readonly #entries = new Map<string, Entry>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A pod that waits already stays as it is. */
  add(pod: QueuedPod): void {
    if (this.#entries.has(pod.uid)) return;
    this.#entries.set(pod.uid, { ...pod, attempts: 0, state: 'active', notBefore: 0, parkedAt: 0 });
  }

  remove(uid: string): void {
    this.#entries.delete(uid);
  }

  /** The pod whose turn it is: the highest priority, then the one that waits longest. It stays until it is removed or put back. */
  next(nowMs: number): QueuedPod | undefined {
    let first: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (isDue(entry, nowMs) && (first === undefined || goesBefore(entry, first))) first = entry;
    }
    return first;
  }

  /** No node had room for it: it waits until something changes, and longer each time. */
  park(uid: string, nowMs: number): void {
    this.#putBack(uid, 'parked', nowMs);
  }

  /** It failed for a reason that has nothing to do with the nodes: it is tried again by itself, later each time. */
  retry(uid: string, nowMs: number): void {
    this.#putBack(uid, 'active', nowMs);
  }

  /** Something changed that may make room: everything that is parked comes back when its back-off is over. */
  wakeParked(): void {
    for (const [uid, entry] of this.#entries) {
      if (entry.state === 'parked') this.#entries.set(uid, { ...entry, state: 'active' });
    }
  }

  /** When the next pod comes due by itself; undefined when none does. */
  nextDueAt(): number | undefined {
    let due: number | undefined;
    for (const { state, notBefore, parkedAt } of this.#entries.values()) {
      const at = state === 'active' ? notBefore : parkedAt + FLUSH_AFTER_MS;
      due = due === undefined ? at : Math.min(due, at);
    }
    return due;
  }

  #putBack(uid: string, state: Entry['state'], nowMs: number): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    const notBefore = nowMs + backoffMs(entry.attempts, BACKOFF, this.#random);
    this.#entries.set(uid, { ...entry, state, attempts: entry.attempts + 1, notBefore, parkedAt: nowMs });
  }
}

function isDue({ state, notBefore, parkedAt }: Entry, nowMs: number): boolean {
  return state === 'active' ? notBefore <= nowMs : parkedAt + FLUSH_AFTER_MS <= nowMs;
}

function goesBefore(left: Entry, right: Entry): boolean {
  return left.priority !== right.priority ? left.priority > right.priority : left.since < right.since;
}
