import type { Lease } from '../../../api/kinds/lease.ts';

interface Sign {
  readonly renewTime: string | undefined;
  /** Monotonic milliseconds, of this process: the nodes' clocks do not matter. */
  readonly seenAt: number;
  /** It has changed since it was seen first: somebody renews it. */
  readonly isRenewed: boolean;
}

export interface Sighting {
  readonly silentForMs: number;
  readonly isRenewed: boolean;
}

/**
 * How long each node has given no sign of life, by when its Lease was seen to change. Whoever is seen for the first
 * time begins anew: after a restart of the control plane every node has its full time.
 */
export class Silence {
  readonly #signs = new Map<string, Sign>();

  /** Looks at a node's Lease, or at its absence, now. */
  observe(node: string, lease: Lease | undefined, nowMs: number): Sighting {
    const renewTime = lease?.spec.renewTime;
    const known = this.#signs.get(node);
    if (known !== undefined && known.renewTime === renewTime) {
      return { silentForMs: nowMs - known.seenAt, isRenewed: known.isRenewed };
    }
    const isRenewed = known !== undefined && renewTime !== undefined;
    this.#signs.set(node, { renewTime, seenAt: nowMs, isRenewed });
    return { silentForMs: 0, isRenewed };
  }

  /**
   * This process itself stood still for so long (stopped, suspended, starved): what it did not hear in that time says
   * nothing about the nodes.
   */
  forgive(ms: number): void {
    for (const [node, sign] of this.#signs) this.#signs.set(node, { ...sign, seenAt: sign.seenAt + ms });
  }

  /** Every node has its full time again, and none counts as back until its lease is renewed once more. */
  beginAnew(nowMs: number): void {
    for (const [node, sign] of this.#signs) this.#signs.set(node, { ...sign, seenAt: nowMs, isRenewed: false });
  }

  /** Forgets all but these. */
  retain(nodes: ReadonlySet<string>): void {
    for (const node of this.#signs.keys()) if (!nodes.has(node)) this.#signs.delete(node);
  }
}
