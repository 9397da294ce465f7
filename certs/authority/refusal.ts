import type { RequestProblem } from '../x509/request.ts';

/** Why the authority's folder cannot be used as it is. */
export type FolderProblem =
  | 'open-permissions'
  | 'missing-key'
  | 'unreadable'
  | 'mismatched-key'
  | 'wrong-trust-domain'
  | 'expired';

/** The authority was not opened, and nothing in its folder was changed. The message says what to do. */
export class AuthorityRefusedError extends Error {
  override readonly name = 'AuthorityRefusedError';
  readonly reason: FolderProblem;
  constructor(path: string, reason: FolderProblem, why: string, cause?: unknown) {
    super(`certificate authority "${path}": ${why}`, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

/** The authority's root is not rotated so; nothing was changed. */
export class RotationRefusedError extends Error {
  override readonly name = 'RotationRefusedError';
  constructor(step: string, why: string) {
    super(`rotation of the CA: cannot ${step}: ${why}`);
  }
}

export type IssueProblem = RequestProblem | 'invalid-identity' | 'wrong-identity' | 'too-much' | 'invalid-ttl';

/** What was asked for is not issued; the asker is at fault. */
export class IssueRefusedError extends Error {
  override readonly name = 'IssueRefusedError';
  readonly reason: IssueProblem;
  constructor(reason: IssueProblem, message: string) {
    super(message);
    this.reason = reason;
  }
}
