/** What a command's exit code says. docs/reference/exit-codes.md lists them; a test holds the two together. */
export const EXIT = {
  ok: { code: 0, meaning: 'done as asked' },
  failed: { code: 1, meaning: 'not done; the message says why and what to do' },
  usage: { code: 2, meaning: 'the command line was wrong' },
  unreachable: { code: 3, meaning: 'the API server could not be reached' },
  rolledBack: { code: 4, meaning: 'a canary or rollout went back by itself' },
  timeout: { code: 5, meaning: 'what was waited for did not happen in time' },
  interrupted: { code: 130, meaning: 'stopped by Ctrl-C' },
} as const;

export type Exit = keyof typeof EXIT;

/** An end of a command that the user is told of in words: the message, what to do, and the exit code. No stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exit: Exit;
  readonly hint: string | undefined;

  constructor(
    message: string,
    options: { readonly exit?: Exit; readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.exit = options.exit ?? 'failed';
    this.hint = options.hint;
  }
}
