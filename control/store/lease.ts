/** Whoever holds it leads. In a store that is shared, its epoch is the fencing token of every write. */
export const LEADER_LEASE = 'tutti-control-plane';

/** A lease as it is kept. Nobody holds it when `holder` is empty; the epoch stays, so that it never comes twice. */
export interface LeaseRecord {
  readonly holder: string;
  readonly epoch: number;
  /** Wall time: leases of an engine on disk outlive the process. */
  readonly expiresMs: number;
}

/** The record after `holder` has asked for the lease, or undefined when another holds it. */
export function decideLease(
  record: LeaseRecord | undefined,
  { holder, ttlMs }: { readonly holder: string; readonly ttlMs: number },
  nowMs: number,
): LeaseRecord | undefined {
  if (holder === '' || !(ttlMs > 0)) {
    throw new TypeError(`lease for "${holder}", ${ttlMs} ms: a holder and a time above 0 are wanted`);
  }
  const same = record?.holder === holder;
  if (record !== undefined && !same && record.holder !== '' && record.expiresMs > nowMs) return undefined;
  return { holder, epoch: same ? record.epoch : (record?.epoch ?? 0) + 1, expiresMs: nowMs + ttlMs };
}
