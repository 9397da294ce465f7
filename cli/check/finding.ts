/** What came of one check. `skipped` says why it could not be made; it is no failure. */
export interface Outcome {
  readonly verdict: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly message: string;
  /** What to do; with every warning and failure. */
  readonly hint?: string;
}

export interface Finding extends Outcome {
  readonly category: string;
  readonly check: string;
}

export const ok = (message: string): Outcome => ({ verdict: 'ok', message });
export const warning = (message: string, hint: string): Outcome => ({ verdict: 'warning', message, hint });
export const failed = (message: string, hint: string): Outcome => ({ verdict: 'failed', message, hint });
export const skipped = (message: string): Outcome => ({ verdict: 'skipped', message });

/** Several names in a sentence, the first few in full. */
export function named(names: readonly string[], most = 5): string {
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(', ')} and ${more} more` : names.join(', ');
}
