import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { type LoadResult, startLoad } from '../support/load.ts';
import {
  deployment,
  type Mesh,
  pause,
  proxyProcesses,
  route,
  service,
  sidecarProcess,
  startMesh,
} from '../support/mesh.ts';
import { type Account, converse, post, readSlowly, writeSlowly } from './clients.ts';
import { descriptors, growth, type Sample, sample } from './resident.ts';

const SAMPLE_MS = 1000;
const DISTURB_MS = 5000;
/**
 * Three replicas may fail one and the same request. A try is not made where another has failed, so a good replica is sure to be asked by the
 * fourth; one more is for a good one that a busy machine holds up or that is just taken away. What never answers costs 3 s: time enough for
 * whoever does answer, also on a machine that has no time for it for a while.
 */
const TIMEOUTS = { backendRequest: '3s' };
const RETRY = { attempts: 4 };

/** Replicas of one Service that do as they should not: each third, fifth, seventh request, or only late. */
const FAULTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  slow: { DELAY_MS: '300' },
  refusing: { REFUSE_EVERY: '3' },
  breaking: { BREAK_EVERY: '5' },
  silent: { SILENT_EVERY: '7' },
};

export interface SoakReport {
  readonly seconds: number;
  /** GETs, of which none may fail: there always is a replica that answers, and tries enough to come to it. */
  readonly get: LoadResult;
  readonly posts: {
    readonly sent: number;
    readonly failed: number;
    /** Failed though no app had seen them: another try would have been safe. */
    readonly saveable: readonly string[];
    /** Seen more than once: a try that was not safe. */
    readonly repeated: readonly string[];
  };
  readonly slowReaders: Account;
  readonly slowWriters: Account;
  readonly conversations: Account;
  readonly churns: number;
  readonly rotations: number;
  readonly proxies: readonly ProxyReport[];
}

export interface ProxyReport {
  readonly name: string;
  /** After a third of the time. */
  readonly earlyRssMb: number;
  /** At the end, and how it went over the second half. */
  readonly rssMb: number;
  readonly growthMbPerMinute: number;
  readonly descriptorsBefore: number;
  readonly descriptorsAfter: number;
  /** What the descriptors are in the end. */
  readonly open: readonly string[];
}

/**
 * A mesh of good and faulty replicas behind one ingress, for so many seconds: steady GETs and POSTs, slow readers and writers,
 * long conversations, while replicas come and go and every certificate is renewed every 5 s.
 */
export async function soak(seconds: number, tell: (line: string) => void): Promise<SoakReport> {
  const mesh = await startMesh();
  try {
    return await run(mesh, seconds, tell);
  } finally {
    await mesh.stop();
  }
}

async function run(mesh: Mesh, seconds: number, tell: (line: string) => void): Promise<SoakReport> {
  const countFile = join(mesh.folder, 'count');
  appendFileSync(countFile, '');
  const common = { COUNT_FILE: countFile, KEEP_ALIVE_MS: '5000' };
  const tier = { tier: 'mixed' };
  const faulty = Object.entries(FAULTS).map(([name, env]) =>
    deployment(name, { env: { ...common, ...env }, labels: tier }),
  );
  await mesh.apply(deployment('good', { replicas: 3, env: common, labels: tier }), ...faulty);
  await mesh.apply(service('mixed', tier), patient(route('mixed')));
  await mesh.run('steady', { replicas: 2, env: common });
  for (const name of ['good', ...Object.keys(FAULTS)])
    await mesh.command('rollout', 'status', `deployment/${name}`, '--timeout', '120s');
  tell(`${Object.keys(FAULTS).length + 5} replicas are ready`);

  const watched = await watchedProxies(mesh);
  const before = new Map(watched.map(({ name, pid }) => [name, sample(pid, 0)?.descriptors ?? 0]));
  const samples = new Map<string, Sample[]>(watched.map(({ name }) => [name, []]));
  const began = performance.now();
  const elapsed = (): number => (performance.now() - began) / 1000;
  const over = new AbortController();
  const mixed = { port: mesh.port, host: 'mixed.test' };
  const steady = { port: mesh.port, host: 'steady.test' };
  const { signal } = over;
  const gets = startLoad({
    url: `${mesh.url}/`,
    requestsPerSecond: 100,
    // So many that those which wait for the silent replica, two a second for 3 s each, are a few of them.
    connections: 40,
    headers: { host: mixed.host },
    limitSeconds: seconds + 60,
  });
  const posts = Promise.all(['a', 'b', 'c'].map((prefix) => post(mixed, signal, prefix)));
  const readers = Promise.all([1, 2, 3].map(() => readSlowly(steady, signal, 2_000_000)));
  const writers = Promise.all([1, 2].map(() => writeSlowly(steady, signal)));
  const talks = Promise.all([1, 2].map(() => converse(steady, signal)));
  const every = async (disturb: (count: number) => Promise<unknown>): Promise<number> => {
    let count = 0;
    for (; !signal.aborted; await pause(DISTURB_MS)) await disturb(count++);
    return count;
  };
  const disturbances = {
    rotations: every(() => mesh.command('certs', 'rotate')),
    churns: every((count) => mesh.command('scale', 'deployment/good', '--replicas', count % 2 === 0 ? '2' : '3')),
  };
  for (let told = 0; elapsed() < seconds; await pause(SAMPLE_MS)) {
    for (const { name, pid } of watched) {
      const taken = sample(pid, elapsed());
      if (taken !== undefined) samples.get(name)?.push(taken);
    }
    if (elapsed() - told >= 10) {
      told = elapsed();
      const now = watched.map(({ name }) => `${name} ${Math.round(samples.get(name)?.at(-1)?.rssMb ?? 0)} MB`);
      tell(`${Math.round(told)} s: ${now.join(', ')}`);
    }
  }
  over.abort();
  const get = await gets.stop();
  const [rotations, churns] = [await disturbances.rotations, await disturbances.churns];
  const accounts = {
    posts: merge(await posts),
    slowReaders: merge(await readers),
    slowWriters: merge(await writers),
    conversations: merge(await talks),
  };
  const after = await settledDescriptors(watched, before);
  return {
    seconds,
    get,
    ...accounts,
    posts: judgePosts(accounts.posts, readFileSync(countFile, 'utf8')),
    churns,
    rotations,
    proxies: watched.map(({ name, pid }) => ({
      name,
      earlyRssMb: Math.round(samples.get(name)?.find((at) => at.seconds > seconds / 3)?.rssMb ?? 0),
      rssMb: Math.round(samples.get(name)?.at(-1)?.rssMb ?? 0),
      growthMbPerMinute: Number(growth((samples.get(name) ?? []).filter((at) => at.seconds > seconds / 2)).toFixed(2)),
      descriptorsBefore: before.get(name) ?? 0,
      descriptorsAfter: after.get(name) ?? 0,
      open: descriptors(pid),
    })),
  };
}

interface Watched {
  readonly name: string;
  readonly pid: number;
}

/** The ingress, and the sidecars of the replicas that stay. */
async function watchedProxies(mesh: Mesh): Promise<readonly Watched[]> {
  const [ingress = 0] = proxyProcesses(`${mesh.folder}/.tutti`).filter((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('ingress'),
  );
  const watched = [{ name: 'ingress', pid: ingress }];
  for (const app of [...Object.keys(FAULTS), 'steady']) {
    const [pod] = await mesh.pods(app);
    if (pod !== undefined) watched.push({ name: app, pid: sidecarProcess(pod) });
  }
  return watched;
}

function patient(httpRoute: object): object {
  const { spec, ...rest } = httpRoute as { readonly spec: { readonly rules: readonly object[] } };
  return {
    ...rest,
    spec: { ...spec, rules: spec.rules.map((rule) => ({ ...rule, timeouts: TIMEOUTS, retry: RETRY })) },
  };
}

function merge(accounts: readonly Account[]): Account {
  return {
    done: accounts.reduce((sum, { done }) => sum + done, 0),
    failed: accounts.flatMap(({ failed }) => failed),
  };
}

function judgePosts({ done, failed }: Account, seen: string): SoakReport['posts'] {
  const times = new Map<string, number>();
  for (const line of seen.split('\n').filter((text) => text.startsWith('POST '))) {
    const id = line.slice('POST '.length);
    times.set(id, (times.get(id) ?? 0) + 1);
  }
  return {
    sent: done + failed.length,
    failed: failed.length,
    saveable: failed.filter((id) => !times.has(id)),
    repeated: [...times].filter(([, count]) => count > 1).map(([id]) => id),
  };
}

/** Descriptors once all clients are gone and idle connections have been closed; what they are after a while if they do not go back. */
async function settledDescriptors(
  watched: readonly Watched[],
  before: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, number>> {
  const now = (): Map<string, number> =>
    new Map(watched.map(({ name, pid }) => [name, sample(pid, 0)?.descriptors ?? -1]));
  return await eventually('descriptors are as before', () => {
    const found = now();
    return [...found].every(([name, count]) => count <= (before.get(name) ?? 0)) ? found : undefined;
  }).catch(now);
}
