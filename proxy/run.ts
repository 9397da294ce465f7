import type { Clock } from '../kit/clock.ts';
import type { Logger } from '../kit/log.ts';
import type { Random } from '../kit/random.ts';
import { type Admin, createAdmin } from './admin/admin.ts';
import { assemble, type Parts } from './assemble.ts';
import type { Bootstrap } from './bootstrap/bootstrap.ts';
import { createPlane } from './create-plane.ts';
import type { Plane } from './engine.ts';
import type { IdentityHolder } from './identity-holder.ts';
import { HotRestart } from './restart/hot-restart.ts';
import type { AdsClient } from './xds/ads-client.ts';

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

/**
 * All of a proxy's life but the question for its identity, which comes first (main.ts). Others are asked before what is needed only for
 * their answers is loaded: they work meanwhile.
 */
export async function run(options: RunOptions, stop: AbortSignal): Promise<void> {
  const { bootstrap, workers, leavingMs, source, clock, random, log } = options;
  const shared = { clock, random, log };
  const restart = new HotRestart({ bootstrap, workers, ...shared });
  const takenOver = options.hotRestart ? await restart.begin() : undefined;
  const created = Promise.withResolvers<Plane>();
  const parts = assemble(bootstrap, source, created.promise, shared);
  const begun = begin(parts.ads, source, created.promise, stop, log);
  for (const promise of [created.promise, begun]) promise.catch(() => undefined);
  let engine: Plane | undefined;
  let admin: Admin | undefined;
  const extra = () => ({ node: bootstrap.nodeId, controlPlane: parts.ads.status() });
  try {
    // The identity, where it is there by now; then the first bytes to the control plane.
    await turn();
    await turn();
    engine = await createPlane(bootstrap, workers, takenOver ?? [], shared);
    created.resolve(engine);
    // What is wanted of the control plane.
    await turn();
    const door = { ...shared, ...bootstrap.admin, engine, extra };
    // After a hot restart the process before answers there until this one carries the traffic.
    if (takenOver === undefined) admin = await createAdmin(door);
    await begun;
    if (takenOver !== undefined && (await restart.finish(engine, stop))) {
      admin = await createAdmin({ ...door, fd: restart.adminDescriptor });
    }
    if (admin !== undefined) await live({ parts, engine, admin, restart, leavingMs, log }, stop);
  } catch (error) {
    created.reject(error);
    throw error;
  } finally {
    // Also when it could not start: its workers would keep the process.
    await close(parts, source, engine, admin);
  }
}

/** What there is to read or to write is read or written. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

interface Running {
  readonly parts: Parts;
  readonly engine: Plane;
  readonly admin: Admin;
  readonly restart: HotRestart;
  readonly leavingMs: number;
  readonly log: Logger;
}

/** Until it is told to stop and has drained, or a successor has taken over and the last connection has ended. */
async function live({ parts, engine, admin, restart, leavingMs, log }: Running, stop: AbortSignal): Promise<void> {
  const { ads, lastGood } = parts;
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
async function begin(
  ads: AdsClient,
  source: IdentityHolder,
  created: Promise<Plane>,
  stop: AbortSignal,
  log: Logger,
): Promise<void> {
  const first = await Promise.race([source.start(), aborted(stop)]);
  if (first === undefined) return;
  log.debug({ spiffeId: first.spiffeId }, 'identity obtained');
  ads.start();
  const engine = await created;
  // It may have been renewed before there was an engine.
  engine.setIdentity(source.current());
  source.onChange((identity) => engine.setIdentity(identity));
}

async function close(
  { lastGood, code, ads }: Parts,
  source: IdentityHolder,
  engine: Plane | undefined,
  admin: Admin | undefined,
): Promise<void> {
  await ads.close();
  code.close();
  source.close();
  await lastGood.close();
  await engine?.close();
  await admin?.close();
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}
