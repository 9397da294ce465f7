import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../test/support/programs.ts';
import { runPinned } from '../proxy-process.ts';

export interface H2LoadOptions {
  readonly connections: number;
  readonly streams: number;
  readonly durationMs: number;
  /** A unary gRPC call with a message of 100 bytes; otherwise a GET. */
  readonly grpc: boolean;
}

export interface LoadOutcome {
  readonly requests: number;
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

const MESSAGE_BYTES = 100;

/** nghttp2's h2load, a closed loop over HTTP/2 with prior knowledge, on one core. */
export async function h2load(core: number, port: number, options: H2LoadOptions): Promise<LoadOutcome> {
  const path = findProgram('h2load');
  if (path === undefined) throw new Error('program "h2load": not found; apt-get install nghttp2-client');
  const folder = mkdtempSync(join(tmpdir(), 'tutti-h2load-'));
  try {
    const log = join(folder, 'log');
    const message = join(folder, 'message');
    writeFileSync(message, Buffer.concat([Buffer.from([0, 0, 0, 0, MESSAGE_BYTES]), Buffer.alloc(MESSAGE_BYTES, 'x')]));
    const shape = `-c ${options.connections} -m ${options.streams} -t 1 -D ${options.durationMs}ms`.split(' ');
    const grpc = ['-d', message, '-H', 'content-type: application/grpc', '-H', 'te: trailers'];
    const output = await runPinned(core, [
      path,
      ...shape,
      `--log-file=${log}`,
      ...(options.grpc ? grpc : []),
      `http://127.0.0.1:${port}/some/path?with=query`,
    ]);
    const [, done = '0', succeeded = '0'] = /(\d+) done, (\d+) succeeded/.exec(output) ?? [];
    const micros = latencies(readFileSync(log, 'latin1'));
    return {
      requests: Number(succeeded),
      failures: Number(done) - Number(succeeded),
      p50Ms: percentile(micros, 0.5),
      p99Ms: percentile(micros, 0.99),
      p999Ms: percentile(micros, 0.999),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each line of the log is start, status and duration, all in microseconds. */
function latencies(log: string): Float64Array {
  const lines = log.split('\n').filter((line) => line !== '');
  return Float64Array.from(lines, (line) => Number(line.slice(line.lastIndexOf('\t') + 1))).sort();
}

function percentile(micros: Float64Array, share: number): number {
  return (micros[Math.min(micros.length - 1, Math.floor(micros.length * share))] ?? 0) / 1000;
}
