import type { LiveArea, Terminal } from './terminal.ts';

/**
 * A list that is redrawn in place on a terminal; on a pipe each line is printed once, when it changes. `update` takes the
 * whole present state, so callers keep none.
 */
export interface Progress {
  update(lines: readonly ProgressLine[]): void;
  /** Leaves the last state on the screen. */
  done(): void;
}

export interface ProgressLine {
  /** What the line is about; stays the same while `text` changes. */
  readonly key: string;
  readonly text: string;
}

export function createProgress(terminal: Terminal): Progress {
  return terminal.live ? new LiveProgress(terminal) : new PlainProgress(terminal);
}

class PlainProgress implements Progress {
  readonly #terminal: Terminal;
  readonly #printed = new Map<string, string>();

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  update(lines: readonly ProgressLine[]): void {
    for (const { key, text } of lines) {
      if (this.#printed.get(key) === text) continue;
      this.#printed.set(key, text);
      this.#terminal.err(`${text}\n`);
    }
  }

  done(): void {
    this.#printed.clear();
  }
}

class LiveProgress implements Progress {
  readonly #redraw: LiveArea;

  constructor(terminal: Terminal) {
    this.#redraw = terminal.liveArea();
  }

  update(lines: readonly ProgressLine[]): void {
    this.#redraw.show(lines.map(({ text }) => text).join('\n'));
  }

  done(): void {
    this.#redraw.done();
  }
}
