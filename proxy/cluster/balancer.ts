import type { Random } from '../../kit/random.ts';

/** What a balancer looks at. */
export interface Candidate {
  readonly active: number;
  balance: number;
  readonly config: { readonly weight: number };
}

/** Picks one of the candidates, of which there is at least one. It may write `balance` and nothing else. */
export interface Balancer {
  pick<T extends Candidate>(candidates: readonly T[], random: Random): T;
}
