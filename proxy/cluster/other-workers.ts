import type { EjectionCause } from './outlier-detection.ts';
import type { SharedCounts } from './shared-counts.ts';

/** An endpoint that one worker has ejected, as the others are told. */
export interface ToldEjection {
  readonly cluster: string;
  /** `endpointKey` of it. */
  readonly address: string;
  readonly cause: EjectionCause;
  readonly forMs: number;
}

/** What a cluster at work has in common with those of the same name in a process's other workers. */
export interface OtherWorkers {
  readonly counts: SharedCounts;
  tell(ejection: ToldEjection): void;
}
