import { machine, readable } from '../result.ts';
import { type Micro, type MicroFigures, measure } from './measure.ts';
import { MICROS } from './micros.ts';

/** Runs those whose name begins as told, or all; prints a table, or a line of JSON for each. */
export async function runMicros(names: readonly string[], output: 'text' | 'json'): Promise<void> {
  const unknown = names.find((name) => named(name).length === 0);
  if (unknown !== undefined) {
    throw new Error(`micro-benchmark "${unknown}": is none of ${MICROS.map(({ name }) => name).join(', ')}`);
  }
  if (output === 'text') {
    process.stdout.write(`${machine().cpu}, machine load ${machine().load.toFixed(1)}; CPU time of the thread\n`);
    process.stdout.write(
      `${'idea'.padEnd(24)} ${'ns/op'.padStart(8)} ${'ops/s'.padStart(12)} ${'bytes/op'.padStart(10)}\n`,
    );
  }
  for (const micro of names.length === 0 ? MICROS : names.flatMap(named)) {
    const figures = await measure(micro);
    process.stdout.write(output === 'json' ? `${JSON.stringify(figures)}\n` : row(figures));
  }
}

function named(name: string): Micro[] {
  return MICROS.filter((micro) => micro.name === name || micro.name.startsWith(`${name}-`));
}

function row({ name, nsPerOp, opsPerSecond, bytesPerOp }: MicroFigures): string {
  const rate = Math.round(opsPerSecond).toString().padStart(12);
  return `${name.padEnd(24)} ${readable(nsPerOp).padStart(8)} ${rate} ${Math.round(bytesPerOp).toString().padStart(10)}\n`;
}
