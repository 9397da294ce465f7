/** What this process last saw of the store: enough to tell whether the store still has it. */
export interface Mark {
  readonly storeId: string;
  readonly generation: number;
  readonly revision: number;
  /** The mutation that made that revision; empty when it is not known. */
  readonly mutation: string;
}

/** What the store says now. */
export interface Found {
  readonly storeId: string;
  readonly generation: number;
  readonly revision: number;
  readonly compacted: number;
  /** The mutation of the mark's revision; empty when the log does not hold it. */
  readonly mutation: string;
}

/**
 * same: it goes on from what was seen. renewed: somebody has noticed a loss and begun a new generation. rewound: it has forgotten
 * something that was seen, as after a failover to a replica that was behind, or a restore. another: it is empty or another one.
 */
export type Verdict = 'same' | 'renewed' | 'rewound' | 'another';

/**
 * Revisions alone would not tell a store that went back and then wrote on past the mark, so the mutation of the newest revision seen is
 * compared too. What is compacted cannot be compared, and nobody can watch from it either.
 */
export function judgeHistory(mark: Mark, found: Found): Verdict {
  if (found.storeId !== mark.storeId) return 'another';
  if (found.generation > mark.generation) return 'renewed';
  if (found.generation < mark.generation || found.revision < mark.revision) return 'rewound';
  const comparable = mark.mutation !== '' && mark.revision > found.compacted;
  return comparable && found.mutation !== mark.mutation ? 'rewound' : 'same';
}
