import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { identifyProcess } from '../../kit/process.ts';
import { eventually } from '../testing/eventually.ts';
import type { ContainerConfig, ContainerKey, ContainerState, ExecSession, LogOptions, Runtime } from './runtime.ts';

/** A driver under test, with what its containers left behind made visible. */
export interface RuntimeUnderTest {
  readonly runtime: Runtime;
  /** What a new agent has after this one was killed: the same state, nothing in memory. */
  reopen(): Promise<Runtime>;
  /** An image whose program is `/bin/sh -c`, with args `echo from-image`. */
  readonly shellImage: string;
  close(): Promise<void>;
}

/** What every driver must do. Containers are shell scripts, so the image needs a POSIX sh and sleep. */
export function runtimeConformance(name: string, open: () => Promise<RuntimeUnderTest>): void {
  const scenario = (title: string, body: (under: RuntimeUnderTest) => Promise<void>): void => {
    void test(`${name}: ${title}`, { timeout: 120_000 }, async () => {
      const under = await open();
      try {
        await body(under);
      } finally {
        await under.close();
      }
    });
  };

  scenario(
    'a container runs the image as it says, and its exit and output are kept',
    async ({ runtime, shellImage }) => {
      assert.equal((await runtime.pull(shellImage, { hasCommand: false })).ok, true);
      const key = await begin(runtime, { image: shellImage });
      const state = await exitOf(runtime, key);
      assert.deepEqual([state.exitCode, state.signal], [0, undefined]);
      assert.ok(state.finishedAtMs >= state.startedAtMs - 1000);
      assert.equal(await logOf(runtime, key), 'from-image\n');
    },
  );

  scenario('an unknown image without a command is refused, with what was looked at', async ({ runtime }) => {
    const pulled = await runtime.pull('no/such-image:v1', { hasCommand: false });
    assert.equal(pulled.ok, false);
    assert.match(pulled.ok ? '' : `${pulled.reason}: ${pulled.message}`, /^ErrImagePull: .*no\/such-image/);
  });

  scenario('the exit code is the program’s, and a signal’s is 128 more', async ({ runtime, shellImage }) => {
    const failed = await begin(runtime, { image: shellImage, args: ['exit 7'], key: { container: 'seven' } });
    assert.equal((await exitOf(runtime, failed)).exitCode, 7);
    const killed = await begin(runtime, { image: shellImage, args: ['kill -KILL $$'], key: { container: 'killed' } });
    const state = await exitOf(runtime, killed);
    assert.deepEqual([state.exitCode, state.signal], [137, 9]);
  });

  scenario(
    'environment, standard output and standard error reach where they belong',
    async ({ runtime, shellImage }) => {
      const key = await begin(runtime, {
        image: shellImage,
        args: ['echo "$GREETING"; echo problem >&2; cat'],
        env: { GREETING: 'hello  world' },
      });
      await exitOf(runtime, key);
      assert.equal(await logOf(runtime, key), 'hello  world\nproblem\n');
    },
  );

  scenario('a program that does not exist fails to start, with its name', async ({ runtime, shellImage }) => {
    const config = configOf({ image: shellImage, command: ['/no/such/program'] });
    const created = await runtime.create(config);
    const started = created.ok ? await runtime.start(config.key) : created;
    assert.equal(started.ok, false);
    assert.match(started.ok ? '' : started.message, /\/no\/such\/program/);
  });

  scenario('stop sends SIGTERM, and the program may end in its own way', async ({ runtime, shellImage }) => {
    const script = 'trap "echo bye; exit 3" TERM; echo up; while :; do sleep 0.05; done';
    const key = await begin(runtime, { image: shellImage, args: [script] });
    await seesLog(runtime, key, /up/);
    await runtime.stop(key, { graceMs: 30_000 });
    assert.equal((await exitOf(runtime, key)).exitCode, 3);
    assert.match(await logOf(runtime, key), /bye/);
    await runtime.stop(key, { graceMs: 0 });
  });

  scenario('what ignores SIGTERM is killed when the grace is over', async ({ runtime, shellImage }) => {
    const key = await begin(runtime, {
      image: shellImage,
      args: ['trap "" TERM; echo up; while :; do sleep 0.05; done'],
    });
    await seesLog(runtime, key, /up/);
    await runtime.stop(key, { graceMs: 50 });
    assert.equal((await exitOf(runtime, key)).exitCode, 137);
  });

  scenario('a container outlives the agent and is adopted with the same process', async (under) => {
    const { runtime, shellImage } = under;
    const script = 'trap "echo two; exit 5" TERM; echo one; while :; do sleep 0.05; done';
    const key = await begin(runtime, { image: shellImage, args: [script] });
    await seesLog(runtime, key, /one/);
    const before = runtime.status(key)?.state;
    await runtime.close();
    const again = await under.reopen();
    const exits: ContainerKey[] = [];
    again.onExit((exited) => exits.push(exited));
    const after = again.status(key)?.state;
    assert.equal(before?.type, 'running');
    assert.deepEqual(after, before);
    await again.stop(key, { graceMs: 30_000 });
    assert.equal((await exitOf(again, key)).exitCode, 5);
    assert.deepEqual(exits, [key]);
    // The shell may say that its sleep was told to end as well.
    assert.match(await logOf(again, key), /^one\n(?:Terminated\n)?two\n$/);
    await again.close();
  });

  scenario('an exit while no agent was there is explained to the next one', async (under) => {
    const { runtime, shellImage } = under;
    const key = await begin(runtime, { image: shellImage, args: ['echo last words; exit 9'] });
    await exitOf(runtime, key);
    await runtime.close();
    const again = await under.reopen();
    assert.equal((await exitOf(again, key)).exitCode, 9);
    assert.equal(await logOf(again, key), 'last words\n');
    await again.close();
  });

  scenario(
    'a follower gets what is written while it follows, and ends with the container',
    async ({ runtime, shellImage }) => {
      const key = await begin(runtime, { image: shellImage, args: ['echo a; sleep 0.3; echo b; sleep 0.3; printf c'] });
      assert.equal(await logOf(runtime, key, { follow: true }), 'a\nb\nc');
    },
  );

  scenario('a log is cut as asked: last lines, bytes, times', async ({ runtime, shellImage }) => {
    const key = await begin(runtime, { image: shellImage, args: ['for i in 1 2 3 4 5; do echo line $i; done'] });
    await exitOf(runtime, key);
    assert.equal(await logOf(runtime, key, { tailLines: 2 }), 'line 4\nline 5\n');
    assert.equal(await logOf(runtime, key, { tailLines: 0 }), '');
    assert.equal(await logOf(runtime, key, { limitBytes: 10 }), 'line 1\nlin');
    assert.match(await logOf(runtime, key, { tailLines: 1, timestamps: true }), /^\d{4}-\d\d-\d\dT[\d:.]+Z line 5\n$/);
    assert.equal(await logOf(runtime, key, { sinceMs: Date.now() + 60_000 }), '');
  });

  scenario(
    'a command runs inside a running container, with its environment and a limit in time',
    async ({ runtime, shellImage }) => {
      const key = await begin(runtime, { image: shellImage, args: ['sleep 60'], env: { MARK: 'in' } });
      const limits = { timeoutMs: 20_000, maxOutputBytes: 100 };
      assert.deepEqual(await runtime.exec(key, ['/bin/sh', '-c', 'echo $MARK; exit 4'], limits), {
        exitCode: 4,
        output: 'in\n',
      });
      assert.equal((await runtime.exec(key, ['/no/such'], limits)).exitCode !== 0, true);
      assert.equal((await runtime.exec(key, ['sleep', '60'], { ...limits, timeoutMs: 50 })).exitCode, undefined);
      assert.equal((await runtime.exec(key, ['/bin/sh', '-c', 'yes | head -c 1000000'], limits)).output.length, 100);
      await runtime.stop(key, { graceMs: 0 });
    },
  );

  scenario('a command’s streams are its own, and its exit comes after its output', async ({ runtime, shellImage }) => {
    const key = await begin(runtime, { image: shellImage, args: ['sleep 60'], env: { MARK: 'in' } });
    const session = await openExec(runtime, key, 'echo $MARK; cat; echo bad >&2; exit 4');
    session.stdin?.end('typed');
    const [out, err, exitCode] = await Promise.all([textOf(session.stdout), textOf(session.stderr), session.exited]);
    assert.deepEqual([out, err, exitCode], ['in\ntyped', 'bad\n', 4]);
    const missing = await runtime.openExec(key, ['/no/such'], { stdin: false, stdout: true, stderr: true });
    assert.equal(missing.ok, false);
    assert.match(missing.ok ? '' : missing.message, /\/no\/such/);
    await runtime.stop(key, { graceMs: 0 });
    const late = await runtime.openExec(key, ['true'], { stdin: false, stdout: true, stderr: true });
    assert.equal(late.ok, false);
  });

  scenario('a command that is killed is gone with all it started, and its container goes on', async (under) => {
    const { runtime, shellImage } = under;
    const key = await begin(runtime, { image: shellImage, args: ['sleep 60'] });
    const session = await openExec(
      runtime,
      key,
      'trap "" TERM HUP; sleep 1000 & echo $! $$; while :; do sleep 1; done',
    );
    const [line] = (await once(session.stdout ?? new EventEmitter(), 'data')) as [Buffer];
    const pids = line.toString().trim().split(' ').map(Number);
    assert.equal(pids.length, 2);
    await session.kill();
    assert.equal(await session.exited, 137);
    assert.deepEqual(pids.map(identifyProcess), [undefined, undefined]);
    assert.equal(runtime.status(key)?.state.type, 'running');
    await runtime.stop(key, { graceMs: 0 });
  });

  scenario('a command ends with its container', async ({ runtime, shellImage }) => {
    const key = await begin(runtime, { image: shellImage, args: ['sleep 60'] });
    const session = await openExec(runtime, key, 'echo up; sleep 1000');
    const output = textOf(session.stdout);
    await runtime.stop(key, { graceMs: 0 });
    assert.equal(await session.exited, 137);
    assert.match(await output, /^(up\n)?$/);
  });

  scenario('usage grows with work', async ({ runtime, shellImage }) => {
    const key = await begin(runtime, { image: shellImage, args: ['while :; do :; done'] });
    const used = await eventually('CPU time', () => {
      const [usage] = runtime.usage([key]);
      return usage !== undefined && usage.cpuNanoseconds > 0 ? usage : undefined;
    });
    assert.ok(used.memoryBytes > 0);
    await runtime.stop(key, { graceMs: 0 });
    assert.deepEqual(runtime.usage([key]), [undefined]);
  });

  scenario('a removed container is forgotten, also by the next agent', async (under) => {
    const { runtime, shellImage } = under;
    const key = await begin(runtime, { image: shellImage, args: ['true'] });
    await exitOf(runtime, key);
    await runtime.remove(key);
    await runtime.remove(key);
    assert.equal(runtime.status(key), undefined);
    await runtime.close();
    const again = await under.reopen();
    assert.deepEqual(again.list(), []);
    await again.close();
  });
}

/** Of this process alone: a run is known by it, so another of these tests beside this one would end its runs. */
const POD_UID = randomUUID();

interface Wanted extends Partial<Omit<ContainerConfig, 'key'>> {
  readonly image: string;
  readonly key?: Partial<ContainerKey>;
}

function configOf(wanted: Wanted): ContainerConfig {
  return {
    namespace: 'default',
    podName: 'test',
    command: [],
    args: [],
    env: {},
    mounts: [],
    ...wanted,
    key: { podUid: POD_UID, container: 'main', attempt: 0, ...wanted.key },
  };
}

async function begin(runtime: Runtime, wanted: Wanted): Promise<ContainerKey> {
  const config = configOf(wanted);
  assert.deepEqual(await runtime.create(config), { ok: true, notices: [] });
  assert.deepEqual(await runtime.start(config.key), { ok: true, notices: [] });
  return config.key;
}

async function openExec(runtime: Runtime, key: ContainerKey, script: string): Promise<ExecSession> {
  const streams = { stdin: true, stdout: true, stderr: true };
  const opened = await runtime.openExec(key, ['/bin/sh', '-c', script], streams);
  if (!opened.ok) throw new Error(opened.message);
  return opened.session;
}

async function textOf(stream: Readable | undefined): Promise<string> {
  return stream === undefined ? '' : await text(stream);
}

function exitOf(runtime: Runtime, key: ContainerKey): Promise<ContainerState & { type: 'exited' }> {
  return eventually('the container exits', () => {
    const state = runtime.status(key)?.state;
    return state?.type === 'exited' ? state : undefined;
  });
}

async function logOf(runtime: Runtime, key: ContainerKey, options: Omit<LogOptions, 'signal'> = {}): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of runtime.logs(key, { ...options, signal: AbortSignal.timeout(60_000) })) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

async function seesLog(runtime: Runtime, key: ContainerKey, wanted: RegExp): Promise<void> {
  await eventually(`log shows ${wanted}`, async () => (wanted.test(await logOf(runtime, key)) ? true : undefined));
}
