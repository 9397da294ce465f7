/** This machine did not become a node. `hint` says what to do. */
export class JoinRefusedError extends Error {
  override readonly name = 'JoinRefusedError';
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}
