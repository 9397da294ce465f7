import { getHeapStatistics } from 'node:v8';
import { median } from '../../kit/median.ts';

/** One idea of the hot path, by itself. */
export interface Micro {
  readonly name: string;
  /** One line for `--list`. */
  readonly about: string;
  /** Sets up what it needs and gives the operation; its result is used, so that no compiler leaves it out. */
  readonly prepare: () => Operation | Promise<Operation>;
}

export interface Operation {
  run(): unknown;
  close?(): Promise<void> | void;
}

export interface MicroFigures {
  readonly name: string;
  /** CPU time of the thread, not the clock's: what else the machine does is not in it. */
  readonly nsPerOp: number;
  readonly opsPerSecond: number;
  readonly bytesPerOp: number;
}

const WARM_UP_MICROS = 200_000;
const ROUND_MICROS = 20_000;
const ROUNDS = 11;

/** The median round; warm, with as many operations in a round as take 20 ms. */
export async function measure(micro: Micro): Promise<MicroFigures> {
  const operation = await micro.prepare();
  let perRound = 1;
  for (let spent = 0; spent < WARM_UP_MICROS; ) {
    const { micros } = round(operation, perRound);
    spent += micros;
    if (micros < ROUND_MICROS) perRound = Math.ceil(perRound * Math.min(4, (ROUND_MICROS * 1.1) / Math.max(1, micros)));
  }
  const rounds = Array.from({ length: ROUNDS }, () => round(operation, perRound));
  await operation.close?.();
  const nsPerOp = (median(rounds.map(({ micros }) => micros)) * 1000) / perRound;
  const bytesPerOp = median(rounds.map(({ bytes }) => bytes)) / perRound;
  return { name: micro.name, nsPerOp, opsPerSecond: 1e9 / nsPerOp, bytesPerOp };
}

/** What the last operation gave: read by nobody. */
const last: { result: unknown } = { result: undefined };

function round(operation: Operation, count: number): { readonly micros: number; readonly bytes: number } {
  const allocated = getHeapStatistics().total_allocated_bytes;
  const before = process.threadCpuUsage();
  for (let at = 0; at < count; at++) last.result = operation.run();
  const { user, system } = process.threadCpuUsage(before);
  return { micros: user + system, bytes: getHeapStatistics().total_allocated_bytes - allocated };
}
