import type { Clock } from '../kit/clock.ts';
import type { Logger } from '../kit/log.ts';
import type { Random } from '../kit/random.ts';
import { type Admin, createAdmin } from './admin/admin.ts';
import { assemble, type Parts } from './assemble.ts';
import type { Bootstrap } from './bootstrap/bootstrap.ts';
import type { IdentityHolder } from './identity-holder.ts';
import { HotRestart } from './restart/hot-restart.ts';

// What linkerd2-proxy and Kubernetes give requests in flight: agents drain before they send SIGTERM, so this is for others.
const DRAIN_MS = 10_000;

export interface RunOptions {
  readonly bootstrap: Bootstrap;
  readonly workers: number;
  /** How long connections may stay after a successor has taken over. */
  readonly leavingMs: number;
  readonly hotRestart: boolean;
  /** It has begun to ask. */
  readonly source: IdentityHolder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** All of a proxy's life but the question for its identity, which comes first: main.ts. */
export async function run(options: RunOptions, stop: AbortSignal): Promise<void> {
  const { bootstrap, workers, leavingMs, source, clock, random, log } = options;
  const shared = { clock, random, log };
  const restart = new HotRestart({ bootstrap, workers, ...shared });
  const takenOver = options.hotRestart ? await restart.begin() : undefined;
  const parts = await assemble(bootstrap, { workers, source, takenOver: takenOver ?? [] }, shared);
  let admin: Admin | undefined;
  const openDoor = async (fd?: number): Promise<void> => {
    const extra = () => ({ node: bootstrap.nodeId, controlPlane: parts.ads.status() });
    admin = await createAdmin({ ...shared, ...bootstrap.admin, engine: parts.engine, fd, extra });
  };
  try {
    // After a hot restart the process before answers there until this one carries the traffic.
    if (takenOver === undefined) await openDoor();
    await start(parts, source, stop, log);
    if (takenOver !== undefined && (await restart.finish(parts.engine, stop))) {
      await openDoor(restart.adminDescriptor);
    }
    if (admin !== undefined) await live({ parts, admin, restart, leavingMs, log }, stop);
  } finally {
    // Also when it could not start: its workers would keep the process.
    await close(parts, source, admin);
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

/** Each start needs its agent, or the API server, once: it is asked until it answers. */
async function start({ engine, ads }: Parts, source: IdentityHolder, stop: AbortSignal, log: Logger): Promise<void> {
  const first = await Promise.race([source.start(), aborted(stop)]);
  if (first === undefined) return;
  // It may have come, and been renewed, before there was an engine.
  engine.setIdentity(source.current());
  source.onChange((identity) => engine.setIdentity(identity));
  log.debug({ spiffeId: first.spiffeId }, 'identity obtained');
  ads.start();
}

async function close(
  { engine, lastGood, code, ads }: Parts,
  source: IdentityHolder,
  admin: Admin | undefined,
): Promise<void> {
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
