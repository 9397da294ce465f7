import type { Terminal } from './terminal.ts';

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
  readonly #terminal: Terminal;
  #height = 0;
  #shown = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  update(lines: readonly ProgressLine[]): void {
    const text = lines.map((line) => `${cut(line.text, this.#terminal.columns - 1)}\n`).join('');
    if (text === this.#shown) return;
    // Up over what stands there, and clear to the end of the screen.
    const back = this.#height === 0 ? '' : `\u001B[${this.#height}A\u001B[0J`;
    this.#terminal.err(back + text);
    this.#height = lines.length;
    this.#shown = text;
  }

  done(): void {
    this.#height = 0;
    this.#shown = '';
  }
}

/** Cuts to what fits on one row, so that the count of rows is the count of lines; colour codes take no room. */
function cut(text: string, columns: number): string {
  let visible = 0;
  let at = 0;
  while (at < text.length) {
    // oxlint-disable-next-line no-control-regex -- the escape that begins a colour code is a control character
    const code = /^\u001B\[[\d;]*m/.exec(text.slice(at));
    if (code !== null) at += code[0].length;
    else if (visible === columns) return `${text.slice(0, at)}\u001B[0m`;
    else {
      visible += 1;
      at += 1;
    }
  }
  return text;
}
