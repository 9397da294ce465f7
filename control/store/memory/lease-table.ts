import type { Clock } from '../../../kit/clock.ts';
import { decideLease, type LeaseRecord } from '../lease.ts';
import { type Leases, StoreClosedError } from '../store.ts';

/** Leases that live as long as the process. */
export class LeaseTable implements Leases {
  readonly #clock: Clock;
  readonly #records = new Map<string, LeaseRecord>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async acquire(name: string, holder: string, ttlMs: number): Promise<{ readonly epoch: number } | undefined> {
    if (this.#closed) throw new StoreClosedError();
    const record = decideLease(this.#records.get(name), { holder, ttlMs }, this.#clock.now());
    if (record === undefined) return undefined;
    this.#records.set(name, record);
    return { epoch: record.epoch };
  }

  async release(name: string, holder: string): Promise<void> {
    if (this.#closed) throw new StoreClosedError();
    const record = this.#records.get(name);
    if (record?.holder === holder) this.#records.set(name, { ...record, holder: '', expiresMs: 0 });
  }

  close(): void {
    this.#closed = true;
  }
}
