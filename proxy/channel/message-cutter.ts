const PREFIX_BYTES = 5;

/** Cuts what comes on a stream into messages, each behind a flag and its length (gRPC's PROTOCOL-HTTP2.md, Length-Prefixed-Message). */
export class MessageCutter {
  readonly #maxBytes: number;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixBytes = 0;
  /** The message that has begun. */
  #message: Buffer | undefined = undefined;
  #messageBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The stream may end here. */
  get isBetweenMessages(): boolean {
    return this.#prefixBytes === 0;
  }

  /** Gives each whole message, in memory of its own. Returns what is wrong with them; nothing may follow that. */
  take(from: Buffer, start: number, end: number, whole: (message: Buffer) => void): string | undefined {
    let at = start;
    while (at < end) {
      let message = this.#message;
      if (message === undefined) {
        const count = Math.min(PREFIX_BYTES - this.#prefixBytes, end - at);
        from.copy(this.#prefix, this.#prefixBytes, at, at + count);
        this.#prefixBytes += count;
        at += count;
        if (this.#prefixBytes < PREFIX_BYTES) return undefined;
        const begun = this.#begin();
        if (typeof begun === 'string') return begun;
        message = begun;
      }
      const count = Math.min(message.length - this.#messageBytes, end - at);
      from.copy(message, this.#messageBytes, at, at + count);
      this.#messageBytes += count;
      at += count;
      if (this.#messageBytes < message.length) return undefined;
      this.#message = undefined;
      this.#prefixBytes = 0;
      whole(message);
    }
    return undefined;
  }

  /** The message that the prefix tells of, or what is wrong with it. */
  #begin(): Buffer | string {
    if (this.#prefix[0] !== 0) return 'a message is compressed, which was not asked for';
    const length = this.#prefix.readUInt32BE(1);
    if (length > this.#maxBytes) return `a message of ${length} bytes: at most ${this.#maxBytes} are taken`;
    const message = Buffer.allocUnsafeSlow(length);
    this.#message = message;
    this.#messageBytes = 0;
    return message;
  }
}

/** A message as it leaves. */
export function withPrefix(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}
