import { type Level, type Logger, pino } from 'pino';

export type { Logger } from 'pino';
export type LogFormat = 'json' | 'text';

export interface LogOptions {
  readonly level: Level | 'silent';
  readonly format: LogFormat;
  /** Where lines go; standard error unless told, so that standard output stays a command's answer. */
  readonly write?: (line: string) => void;
}

/**
 * A process's log. `json` is pino's own line; `text` is `HH:MM:SS LEVEL component: message key=value`, for people.
 * Log once, at the edge that handles the error; wrap on the way with `cause`.
 */
export function createLog(options: LogOptions): Logger {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const stream = { write: options.format === 'json' ? write : (line: string) => write(textLine(line)) };
  return pino({ level: options.level, base: null, errorKey: 'error' }, stream);
}

/** A log that says nothing: for tests and for commands whose output is the answer. */
export function silentLog(): Logger {
  return pino({ level: 'silent' });
}

const LEVELS: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};

function textLine(json: string): string {
  const { time, level, msg, component, error, ...rest } = JSON.parse(json) as {
    time: number;
    level: number;
    msg?: string;
    component?: string;
    error?: { message?: string; stack?: string };
    [key: string]: unknown;
  };
  const fields = Object.entries(rest).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const where = component === undefined ? '' : `${component}: `;
  const cause = error === undefined ? '' : `: ${error.message ?? JSON.stringify(error)}`;
  const clockTime = new Date(time).toISOString().slice(11, 19);
  return `${clockTime} ${LEVELS[level] ?? level} ${where}${msg ?? ''}${cause}${fields.join('')}\n`;
}
