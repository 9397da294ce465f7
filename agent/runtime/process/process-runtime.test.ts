import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Clock, systemClock } from '../../../kit/clock.ts';
import { silentLog } from '../../../kit/log.ts';
import { identifyProcess } from '../../../kit/process.ts';
import { eventually } from '../../testing/eventually.ts';
import { runtimeConformance } from '../conformance.ts';
import type { ContainerConfig, ContainerKey } from '../runtime.ts';
import { type Cgroups, cgroupHost, findCgroups, releaseCgroups } from './cgroup/find-cgroups.ts';
import { bootId, processesWithEnvironment, readProcTable } from './host/proc-table.ts';
import { RUN_ID } from './host/reap.ts';
import { startSupervisor } from './host/supervisor.ts';
import { inheritedEnvironment } from './inherited-environment.ts';
import { ProcessRuntime } from './process-runtime.ts';

interface Place {
  readonly root: string;
  readonly pods: string;
  readonly cgroups: Cgroups;
  readonly open: () => ProcessRuntime;
}

async function place(clock = systemClock()): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'process-runtime-'));
  const images = join(root, 'images');
  await mkdir(join(images, 'shell'), { recursive: true });
  await writeFile(
    join(images, 'shell', 'Dockerfile'),
    'FROM scratch\nENTRYPOINT ["/bin/sh", "-c"]\nCMD ["echo from-image"]\n',
  );
  const pods = join(root, 'pods');
  const cgroups = findCgroups(root, cgroupHost());
  const options = {
    podsFolder: pods,
    imageRoots: [images],
    hostEnv: inheritedEnvironment(process.env),
    nodeFolder: dirname(process.execPath),
    marks: { TUTTI_AGENT_FOLDER: root },
    cgroups,
    clock,
    log: silentLog(),
  };
  return { root, pods, cgroups, open: () => new ProcessRuntime(options) };
}

/** A runtime whose containers are all gone when the test ends. */
async function fixture(t: TestContext, clock?: Clock): Promise<Place & { runtime: ProcessRuntime }> {
  const at = await place(clock);
  const runtime = at.open();
  t.after(async () => {
    for (const { key } of runtime.list()) await runtime.stop(key, { graceMs: 0 });
    await runtime.close();
    for (const { key } of runtime.list()) await runtime.remove(key);
    releaseCgroups(at.cgroups);
    await rm(at.root, { recursive: true, force: true });
  });
  return { ...at, runtime };
}

runtimeConformance('process driver', async () => {
  const at = await place();
  const runtime = at.open();
  return {
    runtime,
    shellImage: 'shell:v1',
    reopen: async () => {
      const again = at.open();
      await again.adopt();
      return again;
    },
    close: async () => {
      const last = at.open();
      for (const { key } of await last.adopt()) {
        await last.stop(key, { graceMs: 0 });
        await last.remove(key);
      }
      releaseCgroups(at.cgroups);
      await last.close();
      await runtime.close();
      await rm(at.root, { recursive: true, force: true });
    },
  };
});

let pods = 0;

function shell(script: string, more: Partial<ContainerConfig> = {}): ContainerConfig {
  pods++;
  return {
    key: { podUid: `pod-${process.pid}-${pods}`, container: 'main', attempt: 0 },
    namespace: 'default',
    podName: 'test',
    image: 'none',
    command: ['/bin/sh', '-c', script],
    args: [],
    env: {},
    mounts: [],
    ...more,
  };
}

async function run(runtime: ProcessRuntime, config: ContainerConfig): Promise<readonly string[]> {
  const created = await runtime.create(config);
  assert.equal(created.ok, true);
  assert.deepEqual(await runtime.start(config.key), { ok: true, notices: [] });
  return created.ok ? created.notices : [];
}

async function finalLog(runtime: ProcessRuntime, key: ContainerKey): Promise<string> {
  await eventually('exit', () => (runtime.status(key)?.state.type === 'exited' ? true : undefined));
  let text = '';
  for await (const piece of runtime.logs(key, { signal: new AbortController().signal }))
    text += Buffer.from(piece).toString();
  return text;
}

const memberCount = (key: ContainerKey): number =>
  processesWithEnvironment(RUN_ID, `${key.podUid}/${key.container}/${key.attempt}`).filter(({ pid }) =>
    identifyProcess(pid),
  ).length;

test('after stop nothing is left, not even a daemon in a session of its own', async (t) => {
  const { runtime } = await fixture(t);
  const config = shell('(setsid sh -c "trap \\"\\" TERM; while :; do sleep 0.1; done" &) ; sleep 600 & echo up; wait');
  await run(runtime, config);
  await eventually('the daemon and the rest run', () => (memberCount(config.key) >= 5 ? true : undefined));
  await runtime.stop(config.key, { graceMs: 20_000 });
  assert.equal(memberCount(config.key), 0);
});

test('a daemon left behind by an exit is gone before the next run begins', async (t) => {
  const { runtime } = await fixture(t);
  const config = shell('setsid sleep 600 & echo started');
  await run(runtime, config);
  await finalLog(runtime, config.key);
  const next = { ...config, key: { ...config.key, attempt: 1 }, command: ['sleep', '600'] };
  await run(runtime, next);
  assert.equal(memberCount(config.key), 0);
});

test('a child with an environment of its own is gone with the exit of its parent', async (t) => {
  const { runtime } = await fixture(t);
  const config = shell('env -i /bin/sleep 600 & echo $!');
  await run(runtime, config);
  const pid = Number(await finalLog(runtime, config.key));
  assert.ok(pid > 0);
  await eventually('the child is gone', () => identifyProcess(pid) === undefined);
});

test('a second run beside a running one is refused', async (t) => {
  const { runtime } = await fixture(t);
  const config = shell('sleep 600');
  await run(runtime, config);
  const next = { ...config, key: { ...config.key, attempt: 1 } };
  await runtime.create(next);
  await assert.rejects(runtime.start(next.key), /run 0 goes on/);
});

test('a killed supervisor ends the container: what it ran is killed, and the exit says that it is not known', async (t) => {
  const { runtime } = await fixture(t);
  const config = shell('sleep 600');
  await run(runtime, config);
  const state = runtime.status(config.key)?.state;
  assert.ok(state?.type === 'running');
  process.kill(state.pid, 'SIGKILL');
  const exited = await eventually('exit', () => {
    const now = runtime.status(config.key)?.state;
    return now?.type === 'exited' ? now : undefined;
  });
  assert.equal(exited.exitCode, 137);
  assert.match(exited.message ?? '', /supervisor/);
  await eventually('nothing is left', () => (memberCount(config.key) === 0 ? true : undefined));
});

test('a killed app is seen at once', async (t) => {
  // The regular look comes each second; here it never does, so that an exit which is seen was announced.
  const system = systemClock();
  const timer: Clock['timer'] = (ms, fire) => (ms < 500 ? system.timer(ms, fire) : { stop: () => true });
  const { runtime } = await fixture(t, { ...system, timer });
  const config = shell('exec sleep 600');
  await run(runtime, config);
  const state = runtime.status(config.key)?.state;
  assert.ok(state?.type === 'running');
  const app = await eventually('the app runs', () =>
    readProcTable().find(({ parent, zombie }) => parent === state.pid && !zombie),
  );
  const exited = new Promise<ContainerKey>((resolve) => runtime.onExit(resolve));
  process.kill(app.pid, 'SIGKILL');
  assert.deepEqual(await exited, config.key);
});

test('signals that the agent ignores are not ignored in containers, nor is anything blocked', async (t) => {
  const { runtime } = await fixture(t);
  const config = shell('grep -E "^Sig(Ign|Blk)" /proc/self/status');
  await run(runtime, config);
  const masks = [...(await finalLog(runtime, config.key)).matchAll(/^Sig(\w+):\s*([0-9a-f]+)/gm)];
  assert.equal(masks.length, 2);
  for (const [, , mask] of masks) assert.equal(BigInt(`0x${mask}`), 0n);
});

test('node in a container is the one that runs the agent, and nothing else of the agent’s environment is seen', async (t) => {
  const { runtime } = await fixture(t);
  process.env['SOME_SECRET_OF_THE_AGENT'] = 'x';
  t.after(() => delete process.env['SOME_SECRET_OF_THE_AGENT']);
  const config = shell('node -p process.version; echo "[$SOME_SECRET_OF_THE_AGENT]"');
  await run(runtime, config);
  assert.equal(await finalLog(runtime, config.key), `${process.version}\n[]\n`);
});

test('paths of mounts and of the image’s WORKDIR are replaced by where they are', async (t) => {
  const { runtime, root, pods: podsFolder } = await fixture(t);
  const image = join(root, 'images', 'app', 'v1');
  await mkdir(image, { recursive: true });
  await writeFile(
    join(image, 'Dockerfile'),
    'FROM x\nWORKDIR /app\nENV MODE=image\nENTRYPOINT ["/bin/sh", "/app/run.sh"]\n',
  );
  await writeFile(
    join(image, 'run.sh'),
    'pwd; cat "$CONFIG"; cat "$1"; echo "$MODE"; cat "$TUTTI_VOLUME_ROOT/etc/app/a"\n',
  );
  const source = join(root, 'source');
  await mkdir(source);
  await writeFile(join(source, 'a'), 'A\n');
  const config = shell('', {
    image: 'app:v1',
    command: [],
    args: ['/etc/app/a'],
    env: { CONFIG: '/etc/app/a', MODE: 'pod' },
    mounts: [{ mountPath: '/etc/app', sourcePath: source }],
  });
  const notices = await run(runtime, config);
  assert.equal(await finalLog(runtime, config.key), `${image}\nA\nA\npod\nA\n`);
  const at = join(podsFolder, config.key.podUid, 'volumes', 'main', 'etc', 'app');
  assert.deepEqual(notices, [`host processes share one file system: /etc/app is at ${at}`]);
  assert.equal(readFileSync(join(at, 'a'), 'utf8'), 'A\n');
});

test('a working directory that the host does not have is replaced, with a notice', async (t) => {
  const { runtime, pods: podsFolder } = await fixture(t);
  const config = shell('pwd', { workingDir: '/no/such/folder' });
  const notices = await run(runtime, config);
  const scratch = join(podsFolder, config.key.podUid, 'work', 'main');
  assert.equal(await finalLog(runtime, config.key), `${scratch}\n`);
  assert.deepEqual(notices, [`working directory /no/such/folder is not on this host: it runs in ${scratch}`]);
});

test('a run that was written down and never started is cleared away by the next agent', async (t) => {
  const { runtime, open } = await fixture(t);
  const config = shell('true');
  await runtime.create(config);
  const again = open();
  assert.deepEqual(await again.adopt(), []);
  await again.close();
});

test('a pid that another process has by now is not taken for the run’s, and that process is left alone', async (t) => {
  const { runtime, pods: folder, open } = await fixture(t);
  const config = shell('sleep 0.1; exec sleep 600');
  await run(runtime, config);
  const state = runtime.status(config.key)?.state;
  assert.ok(state?.type === 'running');
  await runtime.close();
  process.kill(-state.pid, 'SIGKILL');
  await eventually('the run is gone', () => memberCount(config.key) === 0);
  const { podUid, container } = config.key;
  const path = join(folder, podUid, 'containers', container, '0', 'process.json');
  const record = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  // A start is known to a hundredth of a second, and the system gives no pid twice so soon: the stranger comes later than that.
  const stranger = await eventually('a process of a later tick', () => {
    const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    t.after(() => child.kill('SIGKILL'));
    return identifyProcess(child.pid ?? 0)?.startTicks === record['startTicks'] ? undefined : child;
  });
  await writeFile(path, JSON.stringify({ ...record, pid: stranger.pid }));
  const again = open();
  await again.adopt();
  assert.equal(again.status(config.key)?.state.type, 'exited');
  await again.stop(config.key, { graceMs: 0 });
  await again.remove(config.key);
  await again.close();
  assert.ok(identifyProcess(stranger.pid ?? 0) !== undefined);
});

test('a run whose agent died before it said go was never started', async (t) => {
  const { root, pods: folder, open } = await fixture(t);
  const marks = join(root, 'marks');
  const config = shell(`echo ran >>${marks}`);
  const { podUid, container } = config.key;
  const files = join(folder, podUid, 'containers', container, '0');
  const runtime = open();
  await runtime.create(config);
  await runtime.close();
  const command = { argv: config.command, env: {}, cwd: root };
  const supervised = await startSupervisor(command, { log: join(files, 'log'), exit: join(files, 'exit') });
  const identity = identifyProcess(supervised.pid);
  await writeFile(join(files, 'process.json'), JSON.stringify({ ...identity, bootId: bootId(), startedAtMs: 1 }));
  const exited = once(supervised.child, 'exit');
  supervised.abandon();
  await exited;
  const again = open();
  assert.deepEqual(await again.adopt(), []);
  assert.deepEqual(await again.create(config), { ok: true, notices: [] });
  assert.deepEqual(await again.start(config.key), { ok: true, notices: [] });
  await eventually('it has run', () => again.status(config.key)?.state.type === 'exited');
  assert.equal(readFileSync(marks, 'utf8'), 'ran\n');
  await again.close();
});

test('limits hold where the agent may make control groups, and elsewhere a notice says why they do not', async (t) => {
  const { cgroups, runtime } = await fixture(t);
  const config = shell('exec node -e "const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))"', {
    resources: { cpuLimitMillis: 500, memoryLimitBytes: 200 * 1024 * 1024 },
  });
  const created = await runtime.create(config);
  const notices = created.ok ? created.notices : [];
  assert.deepEqual(notices, cgroups.ok ? [] : [`limits of cpu and memory are not enforced: ${cgroups.why}`]);
  if (!cgroups.ok) return;
  assert.deepEqual(await runtime.start(config.key), { ok: true, notices: [] });
  const state = await eventually('exit', () => {
    const now = runtime.status(config.key)?.state;
    return now?.type === 'exited' ? now : undefined;
  });
  assert.deepEqual([state.exitCode, state.signal, state.isOutOfMemory], [137, 9, true]);
});

test('a user of the host is taken on when the agent is root; an unknown one gives a notice', async (t) => {
  const { runtime } = await fixture(t);
  const isRoot = process.getuid?.() === 0;
  const known = shell('id -u', { user: { uid: 65534, gid: 65534 } });
  const notices = await run(runtime, known);
  const uid = (await finalLog(runtime, known.key)).trim();
  assert.equal(uid, isRoot ? '65534' : String(process.getuid?.()));
  assert.equal(notices.length, isRoot || process.getuid?.() === 65534 ? 0 : 1);
});
