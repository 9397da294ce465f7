import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { backoffMs } from '../../kit/backoff.ts';
import type { Clock, Timer } from '../../kit/clock.ts';
import { readTextIfPresent, writeFileAtomic } from '../../kit/disk.ts';
import type { Logger } from '../../kit/log.ts';
import { makeFolder } from '../../kit/make-folder.ts';
import type { Random } from '../../kit/random.ts';
import { withTimeLimit } from '../probes/time-limit.ts';
import { HostProcess } from '../runtime/process/host/host-process.ts';
import { LogFiles } from '../runtime/process/log/log-files.ts';
import { answeringProcess, askAdmin, usedSerial } from './admin-client.ts';
import type { ProxyBootstrap } from './bootstrap.ts';
import { RestartRefused } from './restart-refused.ts';

/**
 * starting: its process runs, or is about to be started again; it does not answer as ready. ready: `/ready` answered 200.
 * draining: it finishes what is in flight. stopped: it was never started, or was told to stop.
 */
export type ProxyState = 'stopped' | 'starting' | 'ready' | 'draining';

export interface ProxyProcessOptions {
  /** Holds `bootstrap.json`, the program that was started with it (`program`), and a folder for each run. */
  readonly folder: string;
  /** Unique on this host, for ever: runs are told apart by a number after it. */
  readonly id: string;
  /** What comes before `--bootstrap FILE`. */
  readonly command: readonly string[];
  /** What tells this program from a later one: its version and where it is. */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  readonly bootstrap: ProxyBootstrap;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onChange: () => void;
}

const RESTART = { baseMs: 250, maxMs: 10_000, jitter: 0.2 };
/** A run of this length ends a series of failures. */
const STABLE_AFTER_MS = 60_000;
const EAGER_LOOK_MS = 50;
const LOOK_EVERY_MS = 2000;
const LOOK_LIMIT_MS = 2000;
/** Looks in a row without a 200 after which a proxy that was ready is no longer. */
const LOOKS_UNTIL_UNREADY = 3;
const RUNS_KEPT = 2;
/** In a proxy's state folder, where it can hand its sockets over (proxy/restart/). */
const RESTART_SOCKET = 'restart.sock';
/** For a proxy that makes way for one with other settings. */
const REPLACED_GRACE_MS = 2000;
/** The proxy keeps the time of a drain itself; this much later it is not waited for any more. */
const ANSWER_AFTER_DRAIN_MS = 1000;

/**
 * A proxy that this agent keeps running: started detached, adopted by the next agent, started again when it ends, watched
 * through its admin endpoint, drained and stopped.
 */
export class ProxyProcess {
  readonly #options: ProxyProcessOptions;
  readonly #abort = new AbortController();
  #state: ProxyState = 'stopped';
  #run: HostProcess | undefined;
  /** Runs that have been succeeded and end with their last connection. */
  readonly #leaving = new Set<HostProcess>();
  #runNumber = 0;
  #failures = 0;
  #missedLooks = 0;
  #restart: Timer | undefined;
  #observing: Timer | undefined;
  #isRestarting = false;
  #bootstrap: ProxyBootstrap;

  constructor(options: ProxyProcessOptions) {
    this.#options = options;
    this.#bootstrap = options.bootstrap;
  }

  get state(): ProxyState {
    return this.#state;
  }

  /** The supervisor of the present run, for usage. */
  get pid(): number | undefined {
    const state = this.#run?.state;
    return state?.type === 'running' ? state.pid : undefined;
  }

  /** The serial number of the certificate that it shows its peers now. */
  usedSerial(signal: AbortSignal): Promise<string | undefined> {
    return usedSerial(this.#options.bootstrap.admin, signal);
  }

  /** Where the present run writes. */
  get logPath(): string | undefined {
    return this.#run?.logPath;
  }

  /** The ids of the newest run and of those that it has succeeded, as their processes have them in their environment; also while they end. */
  get runId(): readonly string[] {
    const numbers = [...this.#leaving].map(({ folder }) => Number(basename(folder)));
    return this.#runNumber === 0 ? [] : [...numbers, this.#runNumber].map((number) => this.#runIdOf(number));
  }

  /** Takes over what an earlier agent left; it counts as ready until it does not answer. True when a proxy runs. */
  async adopt(): Promise<boolean> {
    const numbers = await this.#runNumbers();
    this.#runNumber = Math.max(0, ...numbers);
    for (const number of numbers) {
      if (number === this.#runNumber) continue;
      const before = this.#makeRun(number);
      await before.adopt();
      if (before.state.type === 'running') this.#leaving.add(before);
    }
    if (this.#runNumber === 0) return false;
    const run = this.#makeRun(this.#runNumber);
    await run.adopt();
    if (run.state.type !== 'running') return false;
    this.#run = run;
    this.#begin('ready');
    return true;
  }

  /**
   * Starts it, unless it runs already with the same bootstrap and program. One that an earlier agent started with others (the control
   * plane is elsewhere now, Tutti was upgraded) hands its sockets over to a new run and loses nothing; one that cannot makes way when its
   * settings changed, and goes on when only the program did. Resolves when the process has been started.
   */
  async start(): Promise<void> {
    const { bootstrap, program, log, id } = this.#options;
    const text = this.#bootstrapText;
    const run = this.#run;
    if (run !== undefined) {
      const before = await readTextIfPresent(this.#bootstrapPath);
      const sameSettings = before === text;
      if (sameSettings && (await readTextIfPresent(this.#programPath)) === `${program}\n`) return;
      if (existsSync(join(bootstrap.stateFolder, RESTART_SOCKET))) {
        log.info({ proxy: id }, 'proxy has other settings or another program now: a new one takes over');
        this.#leaving.add(run);
      } else if (sameSettings) return;
      else {
        log.info({ proxy: id }, 'proxy has other settings now and is started anew');
        this.#run = undefined;
        this.#setState('starting');
        await run.stop({ graceMs: REPLACED_GRACE_MS });
        run.close();
      }
    }
    await this.#launchWith(text);
  }

  /**
   * Hot restart by hand: a new process, with the settings of now or these, takes over from the one that runs; nothing is lost. Resolves when the new one
   * answers. Throws RestartRefused, with what is in the way.
   */
  async restart(limitMs: number, bootstrap: ProxyBootstrap = this.#bootstrap): Promise<void> {
    const { clock } = this.#options;
    const run = this.#run;
    if (run?.state.type !== 'running') throw new RestartRefused('the proxy does not run; it is being started');
    if (this.#state === 'draining') throw new RestartRefused('the proxy is on its way out');
    if (this.#isRestarting) throw new RestartRefused('the proxy is being restarted already');
    if (!existsSync(join(bootstrap.stateFolder, RESTART_SOCKET)))
      throw new RestartRefused('the proxy cannot hand its sockets over: that takes Linux and Node 26');
    this.#bootstrap = bootstrap;
    const text = this.#bootstrapText;
    this.#isRestarting = true;
    try {
      const { before, begun } = await withTimeLimit(clock, limitMs, async (signal) => {
        const answering = await answeringProcess(bootstrap.admin, signal);
        this.#leaving.add(run);
        await this.#launchWith(text);
        return { before: answering, begun: this.#run };
      });
      await withTimeLimit(clock, limitMs, (signal) => this.#hasTakenOver(before, begun, signal));
    } finally {
      this.#isRestarting = false;
    }
  }

  /** Waits until another process answers than before. */
  async #hasTakenOver(before: string, begun: HostProcess | undefined, signal: AbortSignal): Promise<void> {
    const { bootstrap, clock } = this.#options;
    for (;;) {
      const now = await answeringProcess(bootstrap.admin, signal).catch(() => before);
      if (now !== before) return;
      if (this.#run !== begun)
        throw new RestartRefused(`the new process has ended; the one before goes on (log: ${begun?.logPath ?? ''})`);
      await clock.sleep(EAGER_LOOK_MS, signal);
    }
  }

  /** Resolves when no inbound request is left, or after the time. */
  async drain(limitMs: number): Promise<void> {
    if (this.#run?.state.type !== 'running') return;
    this.#setState('draining');
    const { clock, bootstrap, log } = this.#options;
    try {
      await withTimeLimit(clock, limitMs + ANSWER_AFTER_DRAIN_MS, (signal) =>
        askAdmin(bootstrap.admin, 'POST', `/drain?deadlineMs=${Math.round(limitMs)}`, signal),
      );
    } catch (error) {
      log.debug({ error, proxy: this.#options.id }, 'the proxy did not say that it has drained');
    }
  }

  /** Stops it for good; resolves when nothing of it is left. */
  async stop(graceMs: number): Promise<void> {
    this.#letGo();
    const runs = [...this.#leaving, ...(this.#run === undefined ? [] : [this.#run])];
    await Promise.all(runs.map((run) => run.stop({ graceMs })));
    for (const run of runs) run.close();
    this.#setState('stopped');
  }

  /** Stops watching; a proxy that runs goes on. */
  close(): void {
    this.#letGo();
    this.#run?.close();
    for (const run of this.#leaving) run.close();
  }

  /** No more restarts, no more looks. */
  #letGo(): void {
    this.#abort.abort(new Error('proxy is let go'));
    this.#restart?.stop();
    this.#observing?.stop();
  }

  async #launchWith(text: string): Promise<void> {
    await writeFileAtomic(this.#bootstrapPath, text, { mode: 0o600 });
    await writeFileAtomic(this.#programPath, `${this.#options.program}\n`);
    await this.#launch();
  }

  async #launch(): Promise<void> {
    const { folder, command, env, log, id } = this.#options;
    this.#runNumber++;
    const run = this.#makeRun(this.#runNumber);
    makeFolder(folder);
    this.#run = run;
    try {
      // Where none runs, or it cannot, the new one starts as usual.
      await run.start({ argv: [...command, '--bootstrap', this.#bootstrapPath, '--hot-restart'], env, cwd: folder });
    } catch (error) {
      this.#run = undefined;
      throw error;
    }
    log.debug({ proxy: id, run: this.#runNumber }, 'proxy started');
    // The one before serves until this one does.
    this.#begin(this.#leaving.size > 0 ? this.#state : 'starting');
    await this.#clearOldRuns();
  }

  #begin(state: ProxyState): void {
    this.#missedLooks = 0;
    this.#setState(state);
    void this.#watch();
    const logs = new LogFiles(this.#run?.logPath ?? '');
    const observe = (): void => {
      try {
        logs.observe(this.#options.clock.now());
      } catch (error) {
        this.#options.log.error({ error, proxy: this.#options.id }, "cannot rotate the proxy's log");
      }
      this.#observing = this.#options.clock.timer(LOOK_EVERY_MS, observe);
    };
    this.#observing?.stop();
    observe();
  }

  /** Asks whether it is ready: often until it is, then now and then. */
  async #watch(): Promise<void> {
    const { clock, bootstrap } = this.#options;
    const { signal } = this.#abort;
    const run = this.#run;
    while (!signal.aborted && this.#run === run && run?.state.type === 'running') {
      const isReady = await withTimeLimit(clock, LOOK_LIMIT_MS, (limit) =>
        askAdmin(bootstrap.admin, 'GET', '/ready', limit),
      ).then(
        (status) => status === 200,
        () => false,
      );
      if (signal.aborted || this.#run !== run || this.#state === 'draining') return;
      this.#missedLooks = isReady ? 0 : this.#missedLooks + 1;
      if (isReady) this.#setState('ready');
      else if (this.#missedLooks >= LOOKS_UNTIL_UNREADY) this.#setState('starting');
      await clock.sleep(this.#state === 'ready' ? LOOK_EVERY_MS : EAGER_LOOK_MS, signal).catch(() => undefined);
    }
  }

  /** It ended by itself: start it again, at once after a long run, later and later in a series of failures. */
  #ended(run: HostProcess): void {
    if (this.#leaving.delete(run)) run.close();
    if (this.#run !== run || this.#abort.signal.aborted) return;
    const { clock, random, log, id } = this.#options;
    const { state } = run;
    const isDraining = this.#state === 'draining';
    this.#run = undefined;
    this.#setState(isDraining ? 'stopped' : 'starting');
    if (isDraining || state.type !== 'exited') return;
    const wasStable = state.finishedAtMs - state.startedAtMs >= STABLE_AFTER_MS;
    this.#failures = wasStable ? 0 : this.#failures + 1;
    const delayMs = this.#failures <= 1 ? 0 : backoffMs(this.#failures - 2, RESTART, random);
    log.warn({ proxy: id, exitCode: state.exitCode, delayMs, log: run.logPath }, 'proxy ended and is started again');
    this.#planRestart(run, delayMs, clock);
  }

  #planRestart(last: HostProcess, delayMs: number, clock: Clock): void {
    this.#restart = clock.timer(delayMs, () => {
      last
        .settled()
        .then(() => (this.#abort.signal.aborted || this.#run !== undefined ? undefined : this.#launch()))
        .catch((error: unknown) => {
          this.#options.log.error({ error, proxy: this.#options.id }, 'cannot start the proxy');
          this.#planRestart(last, RESTART.maxMs, clock);
        });
    });
  }

  #makeRun(number: number): HostProcess {
    const run: HostProcess = new HostProcess({
      folder: this.#folderOf(number),
      id: this.#runIdOf(number),
      clock: this.#options.clock,
      onExit: () => this.#ended(run),
    });
    return run;
  }

  #isLeaving(number: number): boolean {
    return [...this.#leaving].some(({ folder }) => folder === this.#folderOf(number));
  }

  #folderOf(number: number): string {
    return join(this.#options.folder, 'runs', String(number));
  }

  #runIdOf(number: number): string {
    return `${this.#options.id}/${number}`;
  }

  async #runNumbers(): Promise<readonly number[]> {
    const names = await readdir(join(this.#options.folder, 'runs')).catch(() => []);
    return names.map(Number).filter((number) => Number.isInteger(number));
  }

  async #clearOldRuns(): Promise<void> {
    for (const number of await this.#runNumbers()) {
      if (number > this.#runNumber - RUNS_KEPT || this.#isLeaving(number)) continue;
      await rm(join(this.#options.folder, 'runs', String(number)), { recursive: true, force: true });
    }
  }

  #setState(state: ProxyState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onChange();
  }

  get #bootstrapText(): string {
    return `${JSON.stringify(this.#bootstrap, undefined, 2)}\n`;
  }

  get #programPath(): string {
    return join(this.#options.folder, 'program');
  }

  get #bootstrapPath(): string {
    return join(this.#options.folder, 'bootstrap.json');
  }
}
