import type { Balancer, Candidate } from './balancer.ts';

/**
 * Smooth weighted round robin (nginx, ngx_http_upstream_round_robin.c): each pick gives every candidate its weight and takes
 * the sum from the richest, so that a heavy endpoint's turns are spread out and never come in a row. With equal weights
 * this is plain round robin, and the balances live in the endpoints, so a change of the set disturbs nobody's turn.
 */
export class RoundRobin implements Balancer {
  pick<T extends Candidate>(candidates: readonly T[]): T {
    let sum = 0;
    let best = candidates[0] as T;
    for (const candidate of candidates) {
      const weight = Math.max(1, candidate.config.weight);
      sum += weight;
      candidate.balance += weight;
      if (candidate.balance > best.balance) best = candidate;
    }
    best.balance -= sum;
    return best;
  }
}
