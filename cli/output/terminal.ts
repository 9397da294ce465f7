import { styleText } from 'node:util';

/** Where a command writes: the answer to `out`, everything about the way there to `err`. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether `err` is a terminal: then progress may redraw. */
  readonly live: boolean;
  /** Columns of the terminal; 80 on a pipe. */
  readonly columns: number;
  readonly style: (format: Style, text: string) => string;
}

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';

/** The process's own terminal. Colour only on a terminal, and never with NO_COLOR set (https://no-color.org). */
export function processTerminal(): Terminal {
  const colour = process.stderr.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    live: process.stderr.isTTY && process.env['TERM'] !== 'dumb' && process.env['CI'] === undefined,
    columns: process.stderr.columns ?? 80,
    style: (format, text) => (colour ? styleText(format, text, { validateStream: false }) : text),
  };
}
