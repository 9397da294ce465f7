import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A write that the killed process was told is durable. */
export interface Acknowledged {
  readonly revision: number;
  /** The write-ahead log had at least all of it when it was so long. */
  readonly logBytes: number;
  /** Its keys: `/left/<pair>` and `/right/<pair>`. */
  readonly pair: string;
  readonly value: string;
}

export interface WriterProcess {
  readonly pid: number;
  /** Resolves when at least so many writes are acknowledged, or all are. */
  acknowledged(count: number): Promise<void>;
  /** kill -9; gives every write that it has said. */
  kill(): Promise<readonly Acknowledged[]>;
}

export interface WriterOptions {
  /** Stands in the values, so that those of one process are told from another's. */
  readonly round: number;
  readonly transactions: number;
  readonly compacting?: true;
}

/** Starts crash-writer.ts on a store file. */
export function startWriter(path: string, { round, transactions, compacting }: WriterOptions): WriterProcess {
  const program = join(import.meta.dirname, 'crash-writer.ts');
  const args = [program, path, `${round}`, `${transactions}`, compacting === undefined ? '' : 'compacting'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  return {
    pid: child.pid ?? 0,
    acknowledged: async (count) => {
      while (lines.length < count && lines.at(-1) !== 'done') {
        await Promise.race([once(reader, 'line'), ended.then(() => assert.fail('the writer ended by itself'))]);
      }
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
      return lines.filter((line) => line !== 'done').map(parse);
    },
  };
}

function parse(line: string): Acknowledged {
  const [revision = '', logBytes = '', pair = '', value = ''] = line.split(' ');
  return { revision: Number(revision), logBytes: Number(logBytes), pair, value };
}
