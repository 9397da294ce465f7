/** Turns of the event loop that end when they are told to: a measurement is one long turn. */
export class Turns {
  readonly #real = globalThis.setImmediate;
  #waiting: (() => void)[] = [];

  constructor() {
    // Nobody here cancels one, or asks for its promise.
    globalThis.setImmediate = ((callback: () => void) =>
      void this.#waiting.push(callback)) as unknown as typeof setImmediate;
  }

  end(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback();
  }

  close(): void {
    globalThis.setImmediate = this.#real;
    this.end();
  }
}
