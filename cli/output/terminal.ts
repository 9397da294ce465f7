import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';

/** Where a command writes: the answer to `out`, everything about the way there to `err`. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether `err` is a terminal: then progress may redraw. */
  readonly live: boolean;
  /** A part of the screen that is drawn over itself; only where `live`. */
  readonly liveArea: () => LiveArea;
  readonly style: (format: Style, text: string) => string;
}

export interface LiveArea {
  show(text: string): void;
  /** Leaves what was shown last, and writes below it from now on. */
  done(): void;
}

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';

/**
 * The process's own terminal. Colour only where both streams are one, so that none goes into a pipe or a file, and never with
 * NO_COLOR set (https://no-color.org).
 */
export function processTerminal(): Terminal {
  const terminals = process.stderr.isTTY && process.stdout.isTTY;
  const colour = terminals && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    live: process.stderr.isTTY && process.env['TERM'] !== 'dumb' && process.env['CI'] === undefined,
    liveArea: () => {
      const redraw = createLogUpdate(process.stderr, { showCursor: true });
      return { show: redraw, done: () => redraw.done() };
    },
    style: (format, text) => (colour ? styleText(format, text, { validateStream: false }) : text),
  };
}
