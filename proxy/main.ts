// The proxy's composition root: the only place of proxy/ that reads argv and builds a clock. `tutti proxy` calls runProxy;
// agents start this file itself, because the command line's other commands cost each sidecar memory.
// First of all, so that what comes after it is loaded into a young generation that stays small.
import './young-generation.ts';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { systemClock } from '../kit/clock.ts';
import { createLog } from '../kit/log.ts';
import { systemRandom } from '../kit/random.ts';
import { type Bootstrap, parseBootstrap } from './bootstrap/bootstrap.ts';
import { type IdentityHolder, identityHolder } from './identity-holder.ts';
import { readConcurrency } from './workers/concurrency.ts';
import { YoungGeneration } from './young-generation.ts';

export interface ProxyOptions {
  readonly bootstrap: string;
  /** Of `--concurrency`; what the bootstrap says when missing. */
  readonly concurrency?: string | undefined;
  /** Takes over from the proxy that runs with the same state folder, where one does. */
  readonly hotRestart?: boolean | undefined;
  /** How long connections may stay after a successor has taken over, in seconds: `--drain-time-s`, Envoy's. */
  readonly drainTimeS?: string | undefined;
}

// Envoy's --drain-time-s.
const DEFAULT_DRAIN_TIME_S = 600;

/**
 * Runs one proxy until SIGTERM or SIGINT, or until a successor has taken over; then it drains and returns. Rejects when it cannot
 * start: a bootstrap file that is wrong, an admin port that is taken. An API server or control plane that is away is waited for.
 */
export async function runProxy(options: ProxyOptions): Promise<void> {
  const bootstrap = readBootstrap(options.bootstrap);
  const workers = readConcurrency(options.concurrency ?? String(bootstrap.workers ?? 1), availableParallelism());
  const leavingMs = readDrainTime(options.drainTimeS) * 1000;
  const hotRestart = options.hotRestart === true;
  const clock = systemClock();
  const log = createLog({ level: bootstrap.logLevel, format: 'json' }).child({ component: bootstrap.nodeId });
  const shared = { clock, random: systemRandom(), log };
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => stop.abort(new Error(signal));
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  const youngGeneration = new YoungGeneration(clock);
  let source: IdentityHolder | undefined;
  try {
    source = await identityHolder(bootstrap, shared);
    // The rest of the program is loaded while whoever gives identities works on ours: a turn of the event loop, and the question has left.
    source.start().catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    const { run } = await import('./run.ts');
    await run({ bootstrap, workers, leavingMs, hotRestart, source, ...shared }, stop.signal);
  } finally {
    source?.close();
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
    youngGeneration.close();
  }
}

function readDrainTime(text: string | undefined): number {
  const seconds = text === undefined ? DEFAULT_DRAIN_TIME_S : Number(text);
  if (text?.trim() !== '' && seconds >= 0 && seconds <= 86_400) return seconds;
  throw new Error(`--drain-time-s "${text}": wanted seconds, from 0 to 86400`);
}

function readBootstrap(path: string): Bootstrap {
  try {
    return parseBootstrap(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`read bootstrap file "${path}": ${(error as Error).message}`, { cause: error });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      bootstrap: { type: 'string' },
      mode: { type: 'string' },
      concurrency: { type: 'string' },
      'hot-restart': { type: 'boolean' },
      'drain-time-s': { type: 'string' },
    },
  });
  try {
    await runProxy({
      bootstrap: values.bootstrap ?? '',
      concurrency: values.concurrency,
      hotRestart: values['hot-restart'],
      drainTimeS: values['drain-time-s'],
    });
  } catch (error) {
    process.stderr.write(`tutti proxy: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
