/** Why a Redis cannot be the store. */
export type RedisRefusalReason =
  | 'address'
  | 'unreachable'
  | 'authentication'
  | 'settings'
  | 'version'
  | 'replica'
  | 'cluster'
  | 'format'
  | 'another-store';

/** Redis is not used as the store, and nothing in it was changed. The message says what to do and never holds a password. */
export class RedisRefusedError extends Error {
  override readonly name = 'RedisRefusedError';
  readonly reason: RedisRefusalReason;
  constructor(shown: string, reason: RedisRefusalReason, why: string, cause?: unknown) {
    super(`store "${shown}": ${why}`, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}
