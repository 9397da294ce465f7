/** Something wrong with a manifest, at a place that an editor can open. */
export interface ManifestProblem {
  readonly severity: 'error' | 'warning';
  /** As the user named it; `-` for standard input. */
  readonly file: string;
  /** Which document of the file, from 0. */
  readonly document: number;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** `Deployment/web`, when that much could be read. */
  readonly subject: string | undefined;
  readonly message: string;
  readonly hint?: string;
}

/** `file:line:column: Kind/name: what is wrong (hint)`: the form that editors and CI turn into a link. */
export function formatProblem({ file, line, column, subject, message, hint }: ManifestProblem): string {
  const what = subject === undefined ? message : `${subject}: ${message}`;
  return `${file}:${line}:${column}: ${what}${hint === undefined ? '' : ` (${hint})`}`;
}
