// The proxy's composition root: the only place of proxy/ that reads argv and builds a clock. `tutti proxy` calls runProxy;
// agents start this file itself, because the command line's other commands cost each sidecar memory.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { systemClock } from '../kit/clock.ts';
import { createLog, type Logger } from '../kit/log.ts';
import { systemRandom } from '../kit/random.ts';
import { type Admin, createAdmin } from './admin/admin.ts';
import { assemble, type Parts } from './assemble.ts';
import { type Bootstrap, parseBootstrap } from './bootstrap/bootstrap.ts';
import { HotRestart } from './restart/hot-restart.ts';
import { readConcurrency } from './workers/concurrency.ts';

// What linkerd2-proxy and Kubernetes give requests in flight: agents drain before they send SIGTERM, so this is for others.
const DRAIN_MS = 10_000;

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
  const clock = systemClock();
  const log = createLog({ level: bootstrap.logLevel, format: 'json' }).child({ component: bootstrap.nodeId });
  const shared = { clock, random: systemRandom(), log };
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => stop.abort(new Error(signal));
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  try {
    const restart = new HotRestart({ bootstrap, workers, ...shared });
    const takenOver = options.hotRestart === true ? await restart.begin() : undefined;
    const parts = await assemble(bootstrap, workers, takenOver ?? [], shared);
    let admin: Admin | undefined;
    const openDoor = async (fd?: number): Promise<void> => {
      const extra = () => ({ node: bootstrap.nodeId, controlPlane: parts.ads.status() });
      admin = await createAdmin({ ...shared, ...bootstrap.admin, engine: parts.engine, fd, extra });
    };
    try {
      // After a hot restart the process before answers there until this one carries the traffic.
      if (takenOver === undefined) await openDoor();
      await start(parts, stop.signal, log);
      if (takenOver !== undefined && (await restart.finish(parts.engine, stop.signal))) {
        await openDoor(restart.adminDescriptor);
      }
      if (admin !== undefined) await live({ parts, admin, restart, leavingMs, log }, stop.signal);
    } finally {
      // Also when it could not start: its workers would keep the process.
      await close(parts, admin);
    }
  } finally {
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
  }
}

interface Running {
  readonly parts: Parts;
  readonly admin: Admin;
  readonly restart: HotRestart;
  readonly leavingMs: number;
  readonly log: Logger;
}

/** Until it is told to stop and has drained, or a successor has taken over and the last connection has ended. */
async function live({ parts, admin, restart, leavingMs, log }: Running, stop: AbortSignal): Promise<void> {
  const { engine, ads, lastGood } = parts;
  const successor = await restart.awaitSuccessor(engine, admin, async () => {
    ads.lastStream();
    await lastGood.close();
    await Promise.all([engine.leave(), admin.close()]);
  });
  const end = await Promise.race([
    successor.succeeded.then(() => 'succeeded' as const),
    aborted(stop).then(() => 'stopped' as const),
  ]);
  if (end === 'succeeded') {
    log.info('hot restart: a successor has taken over; ending when the last connection does');
    await Promise.race([engine.idle(leavingMs), aborted(stop)]);
    return;
  }
  await successor.close();
  log.info('draining');
  await engine.drain(DRAIN_MS);
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

/** Each start needs its agent, or the API server, once: it is asked until it answers. */
async function start({ engine, source, ads }: Parts, stop: AbortSignal, log: Logger): Promise<void> {
  source.onChange((identity) => engine.setIdentity(identity));
  const identity = await Promise.race([source.start(), aborted(stop)]);
  if (identity === undefined) return;
  log.debug({ spiffeId: identity.spiffeId }, 'identity obtained');
  ads.start();
}

async function close({ engine, source, lastGood, code, ads }: Parts, admin: Admin | undefined): Promise<void> {
  await ads.close();
  code.close();
  source.close();
  await lastGood.close();
  await engine.close();
  await admin?.close();
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
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
