// The proxy's composition root: the only place of proxy/ that reads argv and builds a clock. `tutti proxy` calls runProxy;
// agents start this file itself, because the command line's other commands cost each sidecar memory.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { controlSpiffeId, workloadSpiffeId } from '../api/meta/well-known.ts';
import { WorkloadApiSource } from '../certs/workload/spiffe-api/workload-api-source.ts';
import { type Clock, systemClock } from '../kit/clock.ts';
import { createLog, type Logger } from '../kit/log.ts';
import { type Random, systemRandom } from '../kit/random.ts';
import { type Admin, createAdmin } from './admin/admin.ts';
import { type Bootstrap, parseBootstrap } from './bootstrap/bootstrap.ts';
import type { Plane } from './engine.ts';
import { readConcurrency } from './workers/concurrency.ts';
import { AdsClient } from './xds/ads-client.ts';
import { LastGoodKeeper } from './xds/last-good-keeper.ts';

// What linkerd2-proxy and Kubernetes give requests in flight: agents drain before they send SIGTERM, so this is for others.
const DRAIN_MS = 10_000;

/** WorkloadApiSource, or IdentitySource where no agent serves the Workload API. */
type IdentityHolder = Pick<WorkloadApiSource, 'current' | 'onChange' | 'start' | 'close'>;

interface Shared {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

interface Parts {
  readonly engine: Plane;
  readonly source: IdentityHolder;
  readonly admin: Admin;
  readonly lastGood: LastGoodKeeper;
  readonly ads: AdsClient;
}

export interface ProxyOptions {
  readonly bootstrap: string;
  /** Of `--concurrency`; the bootstrap file's, or one worker, when missing. */
  readonly concurrency?: string | undefined;
}

/**
 * Runs one proxy until SIGTERM or SIGINT; then it drains and returns. Rejects when it cannot start: a bootstrap file that is
 * wrong, an admin port that is taken. An API server or control plane that is away is waited for.
 */
export async function runProxy(options: ProxyOptions): Promise<void> {
  const bootstrap = readBootstrap(options.bootstrap);
  const workers = readConcurrency(options.concurrency ?? '1', availableParallelism());
  const clock = systemClock();
  const log = createLog({ level: bootstrap.logLevel, format: 'json' }).child({ component: bootstrap.nodeId });
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => stop.abort(new Error(signal));
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  try {
    const parts = await assemble(bootstrap, workers, { clock, random: systemRandom(), log });
    await start(parts, stop.signal, log);
    await aborted(stop.signal);
    log.info('draining');
    await parts.engine.drain(DRAIN_MS);
    await close(parts);
  } finally {
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
  }
}

function readBootstrap(path: string): Bootstrap {
  try {
    return parseBootstrap(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`read bootstrap file "${path}": ${(error as Error).message}`, { cause: error });
  }
}

async function assemble(bootstrap: Bootstrap, workers: number, shared: Shared): Promise<Parts> {
  const { trustDomain, namespace, nodeId, stateFolder } = bootstrap;
  const { clock, random, log } = shared;
  const engine = await createPlane(bootstrap, workers, shared);
  const source = await identityHolder(bootstrap, shared);
  const lastGood = new LastGoodKeeper(join(stateFolder, 'last-good.json'), clock, log);
  const ads = new AdsClient({
    address: bootstrap.xdsAddress,
    node: { id: nodeId, cluster: namespace, userAgentName: 'tutti', userAgentVersion: ownVersion() },
    variant: bootstrap.xdsVariant,
    controlSpiffeId: controlSpiffeId(trustDomain),
    identity: () => source.current(),
    engine,
    clock,
    random,
    log,
    restore: () => lastGood.read(),
    onGood: (raw) => lastGood.keep(raw),
  });
  const admin = await createAdmin({
    engine,
    clock,
    log,
    ...bootstrap.admin,
    extra: () => ({ node: nodeId, controlPlane: ads.status() }),
  });
  return { engine, source, admin, lastGood, ads };
}

/** One engine in this thread, or one in each worker's: what one worker does not need is not loaded for it. */
async function createPlane({ nodeId, logLevel }: Bootstrap, workers: number, shared: Shared): Promise<Plane> {
  if (workers > 1) {
    const { Crew } = await import('./workers/crew.ts');
    return new Crew({ ...shared, workers, logLevel, component: nodeId });
  }
  const { createEngine } = await import('./data-plane.ts');
  // Standard output is the access log's alone.
  const accessLog = { format: 'json', sink: (lines: string) => void process.stdout.write(lines) } as const;
  return createEngine({ ...shared, accessLog });
}

/** What asks the API server itself is loaded only where it is needed. */
async function identityHolder(
  { trustDomain, namespace, serviceAccount, workloadApi, api, svidTtlSeconds }: Bootstrap,
  shared: Shared,
): Promise<IdentityHolder> {
  const spiffeId = workloadSpiffeId(trustDomain, namespace, serviceAccount);
  if (workloadApi !== undefined) return new WorkloadApiSource({ ...shared, address: workloadApi, spiffeId });
  if (api === undefined) throw new Error('bootstrap: names no source of the identity');
  const { IdentitySource } = await import('../certs/workload/identity-source.ts');
  const { svidClient } = await import('../certs/workload/svid-client.ts');
  const ttl = svidTtlSeconds === undefined ? {} : { ttlSeconds: svidTtlSeconds };
  return new IdentitySource({ ...shared, obtain: svidClient({ ...api, ...ttl }), spiffeId });
}

/** Each start needs its agent, or the API server, once: it is asked until it answers. */
async function start({ engine, source, ads }: Parts, stop: AbortSignal, log: Logger): Promise<void> {
  source.onChange((identity) => engine.setIdentity(identity));
  const identity = await Promise.race([source.start(), aborted(stop)]);
  if (identity === undefined) return;
  log.debug({ spiffeId: identity.spiffeId }, 'identity obtained');
  ads.start();
}

async function close({ engine, source, admin, lastGood, ads }: Parts): Promise<void> {
  await ads.close();
  source.close();
  await lastGood.close();
  await engine.close();
  await admin.close();
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}

/** From package.json, which lies one folder up, or two in the published package. */
function ownVersion(): string {
  for (const up of ['..', join('..', '..')]) {
    try {
      const { version } = JSON.parse(readFileSync(join(import.meta.dirname, up, 'package.json'), 'utf8')) as {
        version: string;
      };
      return version;
    } catch {
      // Not there: look further up.
    }
  }
  return '';
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { bootstrap: { type: 'string' }, mode: { type: 'string' }, concurrency: { type: 'string' } },
  });
  try {
    await runProxy({ bootstrap: values.bootstrap ?? '', concurrency: values.concurrency });
  } catch (error) {
    process.stderr.write(`tutti proxy: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
