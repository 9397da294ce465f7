import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { LeaseRecord } from '../lease.ts';

/** Leases in their own table, beside the log. */
export class LeaseRows {
  readonly #read: StatementSync;
  readonly #write: StatementSync;

  constructor(database: DatabaseSync) {
    this.#read = database.prepare('SELECT holder, epoch, expires_ms AS expiresMs FROM leases WHERE name = ?');
    this.#write = database.prepare(
      `INSERT INTO leases (name, holder, epoch, expires_ms) VALUES (:name, :holder, :epoch, :expiresMs)
       ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = excluded.epoch, expires_ms = excluded.expires_ms`,
    );
  }

  read(name: string): LeaseRecord | undefined {
    return this.#read.get(name) as LeaseRecord | undefined;
  }

  write(name: string, { holder, epoch, expiresMs }: LeaseRecord): void {
    this.#write.run({ name, holder, epoch, expiresMs: Math.ceil(expiresMs) });
  }
}
