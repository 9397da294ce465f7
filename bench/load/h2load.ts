import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../test/support/programs.ts';
import { MESSAGE } from './http2-frames.ts';
import { BEGUN, type LoadOutcome } from './outcome.ts';

// nghttp2's h2load, a closed loop over HTTP/2 with prior knowledge. Usage: h2load.ts JSON
interface Spec {
  readonly port: number;
  readonly connections: number;
  readonly streams: number;
  readonly durationMs: number;
  /** A unary gRPC call with a message of 100 bytes; otherwise a GET. */
  readonly grpc?: boolean;
}

function run({ port, connections, streams, durationMs, grpc = false }: Spec): LoadOutcome {
  const path = findProgram('h2load');
  if (path === undefined) throw new Error('program "h2load": not found; apt-get install nghttp2-client');
  const folder = mkdtempSync(join(tmpdir(), 'tutti-h2load-'));
  try {
    const log = join(folder, 'log');
    const message = join(folder, 'message');
    writeFileSync(message, MESSAGE, 'latin1');
    const shape = `-c ${connections} -m ${streams} -t 1 -D ${durationMs}ms`.split(' ');
    const call = grpc ? ['-d', message, '-H', 'content-type: application/grpc', '-H', 'te: trailers'] : [];
    const url = `http://127.0.0.1:${port}/some/path?with=query`;
    const ended = spawnSync(path, [...shape, `--log-file=${log}`, ...call, url], { encoding: 'utf8' });
    if (ended.status !== 0) throw new Error(`h2load: exit code ${String(ended.status)}: ${ended.stderr}`);
    const [, done = '0', succeeded = '0'] = /(\d+) done, (\d+) succeeded/.exec(ended.stdout) ?? [];
    const micros = latencies(readFileSync(log, 'latin1'));
    return {
      requests: Number(succeeded),
      failures: Number(done) - Number(succeeded),
      durationMs,
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

// Opening a few connections is nothing beside what they carry.
process.stdout.write(`${BEGUN}\n`);
process.stdout.write(`${JSON.stringify(run(JSON.parse(process.argv[2] ?? '{}') as Spec))}\n`);
