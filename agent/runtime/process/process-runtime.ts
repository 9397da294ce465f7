import { chmod, chown, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock, Timer } from '../../../kit/clock.ts';
import type { Logger } from '../../../kit/log.ts';
import { makeFolder } from '../../../kit/make-folder.ts';
import type {
  ContainerConfig,
  ContainerKey,
  ContainerResources,
  ContainerStatus,
  ContainerUsage,
  ExecOptions,
  ExecResult,
  LogOptions,
  OpenExecOptions,
  OpenExecResult,
  PullResult,
  Runtime,
  StartResult,
  StopOptions,
} from '../runtime.ts';
import { keyText } from '../runtime.ts';
import { Cgroup, sweepCgroups } from './cgroup/cgroup.ts';
import { type CgroupFile, cgroupFiles } from './cgroup/cgroup-files.ts';
import type { Cgroups } from './cgroup/find-cgroups.ts';
import { execIn } from './exec.ts';
import { openExecIn } from './exec-session.ts';
import { findExecutable } from './find-executable.ts';
import { HostProcess } from './host/host-process.ts';
import { readProcTable } from './host/proc-table.ts';
import { chooseUser, type HostUser } from './host-user.ts';
import { findImage, type ImageFolder } from './image/image-folder.ts';
import { LogFiles } from './log/log-files.ts';
import { readLog } from './log/read-log.ts';
import { linkMounts } from './mount-links.ts';
import { planCommand } from './plan-command.ts';
import { findRunRecords, type RunRecord, runFolder, writeRunRecord } from './run-record.ts';
import { usageOf } from './usage.ts';

export interface ProcessRuntimeOptions {
  /** One folder for each pod, by uid. */
  readonly podsFolder: string;
  readonly imageRoots: readonly string[];
  readonly hostEnv: Readonly<Record<string, string>>;
  /** Holds the `node` that containers get. */
  readonly nodeFolder: string | undefined;
  /** In the environment of all containers, so that another agent on this host can tell them from its own. */
  readonly marks: Readonly<Record<string, string>>;
  /** Where runs get control groups of their own, or why they do not. */
  readonly cgroups: Cgroups;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Run {
  readonly record: RunRecord;
  readonly cgroup: Cgroup | undefined;
  /** Of a run that was made here. */
  readonly cgroupFiles: readonly CgroupFile[];
  readonly host: HostProcess;
  readonly logs: LogFiles;
}

// How often growth of logs is noted: the precision of lines' times, except while someone follows.
const OBSERVE_EVERY_MS = 1000;

/** The driver for which containers are host processes. */
export class ProcessRuntime implements Runtime {
  readonly name = 'process';
  readonly #options: ProcessRuntimeOptions;
  readonly #runs = new Map<string, Run>();
  #listeners: ((key: ContainerKey) => void)[] = [];
  #observing: Timer | undefined;

  constructor(options: ProcessRuntimeOptions) {
    this.#options = options;
    this.#planObserve();
  }

  async adopt(): Promise<readonly ContainerStatus[]> {
    for (const { folder, record } of await findRunRecords(this.#options.podsFolder)) {
      const run = record === undefined ? undefined : this.#makeRun(record, []);
      await run?.host.adopt();
      if (run === undefined || run.host.state.type === 'idle') {
        await rm(folder, { recursive: true, force: true });
        continue;
      }
      this.#runs.set(keyText(run.record.key), run);
    }
    const { cgroups } = this.#options;
    const known = [...this.#runs.values()].flatMap(({ cgroup }) => cgroup?.folder ?? []);
    if (cgroups.ok) sweepCgroups(cgroups.folder, new Set(known));
    return this.list();
  }

  async pull(image: string, container: { readonly hasCommand: boolean }): Promise<PullResult> {
    const lookup = await findImage(image, this.#options.imageRoots);
    switch (lookup.type) {
      case 'found':
        return {
          ok: true,
          imageId: lookup.image.folder,
          message: `Image "${image}" is the folder ${lookup.image.folder}`,
        };
      case 'broken':
        return { ok: false, reason: 'ErrImagePull', message: `image "${image}": ${lookup.message}` };
      case 'invalid':
      case 'missing':
        if (container.hasCommand) {
          return {
            ok: true,
            imageId: '',
            message: `Image "${image}" is no known folder: the container's command runs as it is`,
          };
        }
        if (lookup.type === 'invalid') {
          return { ok: false, reason: 'InvalidImageName', message: `image "${image}": not a valid image name` };
        }
        return {
          ok: false,
          reason: 'ErrImagePull',
          message: `image "${image}": no folder with a Dockerfile; looked at ${lookup.lookedAt.join(', ') || 'nothing: no image root is set'}`,
        };
      default:
        return lookup satisfies never;
    }
  }

  async create(config: ContainerConfig): Promise<StartResult> {
    const id = keyText(config.key);
    if (this.#runs.has(id)) throw new Error(`create container "${id}": exists`);
    const lookup = await findImage(config.image, this.#options.imageRoots);
    const image = lookup.type === 'found' ? lookup.image : undefined;
    const { podsFolder, hostEnv, nodeFolder, marks } = this.#options;
    const podFolder = join(podsFolder, config.key.podUid);
    const volumeRoot = join(podFolder, 'volumes', config.key.container);
    const scratchFolder = join(podFolder, 'work', config.key.container);
    const plan = planCommand({ config, image, hostEnv, nodeFolder, volumeRoot, scratchFolder });
    if (!plan.ok) return { ok: false, reason: 'CreateContainerError', message: plan.message };
    await linkMounts(volumeRoot, plan.mounts);
    const folder = await usableFolder(plan.command.cwd, image, scratchFolder);
    const { user, notice } = await chooseUser(
      { image: image?.config.user, pod: config.user },
      process.getuid?.() ?? -1,
    );
    if (user !== undefined) await openTo(podFolder, scratchFolder, user);
    const command = { ...plan.command, env: { ...plan.command.env, ...marks }, cwd: folder.path, ...user };
    const { key, labels = {}, resources = {} } = config;
    const { cgroups } = this.#options;
    const cgroup = cgroups.ok ? { cgroup: join(cgroups.folder, `${key.podUid}.${key.container}.${key.attempt}`) } : {};
    const record: RunRecord = {
      key,
      image: config.image,
      imageId: image?.folder ?? '',
      command,
      labels,
      ...cgroup,
    };
    const run = this.#makeRun(record, cgroupFiles(resources));
    await writeRunRecord(run.host.folder, record);
    this.#runs.set(id, run);
    const relocated = plan.mounts
      .filter(({ isImplied }) => isImplied !== true)
      .map(({ mountPath, place }) => `${mountPath} is at ${place}`);
    return {
      ok: true,
      notices: [
        ...(relocated.length === 0 ? [] : [`host processes share one file system: ${relocated.join(', ')}`]),
        ...[folder.notice, notice, limitsNotice(resources, cgroups)].filter((text) => text !== undefined),
      ],
    };
  }

  async start(key: ContainerKey): Promise<StartResult> {
    const run = this.#runs.get(keyText(key));
    if (run === undefined) throw new Error(`start container "${keyText(key)}": not created`);
    await this.#earlierRunsGone(key);
    const { command } = run.record;
    const [program = ''] = command.argv;
    if ((await findExecutable(program, command.env['PATH'] ?? '', command.cwd)) === undefined) {
      const where = program.includes('/') ? `in ${command.cwd}` : 'in $PATH';
      return {
        ok: false,
        reason: 'RunContainerError',
        message: `exec: "${program}": executable file not found ${where}`,
      };
    }
    try {
      await run.host.start(command, run.cgroupFiles);
      return { ok: true, notices: [] };
    } catch (error) {
      return { ok: false, reason: 'RunContainerError', message: (error as Error).message };
    }
  }

  async stop(key: ContainerKey, options: StopOptions): Promise<void> {
    await this.#runs.get(keyText(key))?.host.stop(options);
  }

  async remove(key: ContainerKey): Promise<void> {
    const run = this.#runs.get(keyText(key));
    if (run === undefined) return;
    await run.host.remove();
    this.#runs.delete(keyText(key));
  }

  status(key: ContainerKey): ContainerStatus | undefined {
    const run = this.#runs.get(keyText(key));
    return run === undefined ? undefined : statusOf(run);
  }

  list(podUid?: string): readonly ContainerStatus[] {
    return [...this.#runs.values()]
      .filter(({ record }) => podUid === undefined || record.key.podUid === podUid)
      .map(statusOf);
  }

  onExit(listener: (key: ContainerKey) => void): void {
    this.#listeners.push(listener);
  }

  async *logs(key: ContainerKey, options: LogOptions): AsyncGenerator<Uint8Array> {
    const run = this.#runs.get(keyText(key));
    if (run === undefined) return;
    const isOpen = (): boolean => this.#runs.has(keyText(key)) && run.host.state.type !== 'exited';
    yield* readLog({ files: run.logs, isOpen }, options, this.#options.clock);
  }

  usage(keys: readonly ContainerKey[]): readonly (ContainerUsage | undefined)[] {
    const bare = usageOf(
      readProcTable(),
      keys.map((key) => this.#leaderOf(key)),
    );
    // Where the kernel counts for a group, nothing is missed: not even what ended unseen.
    return keys.map((key, index) => {
      const run = this.#runs.get(keyText(key));
      return run?.host.state.type === 'running' ? (run.cgroup?.usage() ?? bare[index]) : undefined;
    });
  }

  async exec(key: ContainerKey, command: readonly string[], options: ExecOptions): Promise<ExecResult> {
    const run = this.#runs.get(keyText(key));
    if (run?.host.state.type !== 'running') return { exitCode: 126, output: 'the container does not run' };
    return execIn({ ...run.record.command, argv: command }, keyText(key), options, this.#options.clock);
  }

  async openExec(key: ContainerKey, command: readonly string[], options: OpenExecOptions): Promise<OpenExecResult> {
    const run = this.#runs.get(keyText(key));
    if (run?.host.state.type !== 'running') return { ok: false, message: 'the container does not run' };
    const place = { runId: keyText(key), cgroup: run.cgroup, clock: this.#options.clock };
    return openExecIn({ ...run.record.command, argv: command }, place, options);
  }

  close(): Promise<void> {
    this.#observing?.stop();
    this.#listeners = [];
    for (const { host } of this.#runs.values()) host.close();
    return Promise.resolve();
  }

  #makeRun(record: RunRecord, cgroupFiles: readonly CgroupFile[]): Run {
    const cgroup = record.cgroup === undefined ? undefined : new Cgroup(record.cgroup);
    const host = new HostProcess({
      folder: runFolder(this.#options.podsFolder, record.key),
      id: keyText(record.key),
      ...(cgroup === undefined ? {} : { cgroup }),
      clock: this.#options.clock,
      onExit: () => {
        for (const listener of this.#listeners) listener(record.key);
      },
    });
    return { record, cgroup, cgroupFiles, host, logs: new LogFiles(host.logPath) };
  }

  /** What an earlier run has left must be gone before the next begins: two never run at once. */
  async #earlierRunsGone(key: ContainerKey): Promise<void> {
    for (const { record, host } of this.#runs.values()) {
      const { podUid, container, attempt } = record.key;
      if (podUid !== key.podUid || container !== key.container || attempt >= key.attempt) continue;
      if (host.state.type === 'running') throw new Error(`start container "${keyText(key)}": run ${attempt} goes on`);
      await host.settled();
    }
  }

  #leaderOf(key: ContainerKey): number {
    const state = this.#runs.get(keyText(key))?.host.state;
    return state?.type === 'running' ? state.pid : -1;
  }

  #planObserve(): void {
    this.#observing = this.#options.clock.timer(OBSERVE_EVERY_MS, () => {
      for (const { record, host, logs } of this.#runs.values()) {
        if (host.state.type !== 'running') continue;
        try {
          logs.observe(this.#options.clock.now());
        } catch (error) {
          this.#options.log.error({ error, container: keyText(record.key) }, 'cannot rotate the log');
        }
      }
      this.#planObserve();
    });
  }
}

/** What the Pod says that its container may use, and that nobody here sees to. */
function limitsNotice(resources: ContainerResources, cgroups: Cgroups): string | undefined {
  const names = [
    ...(resources.cpuLimitMillis === undefined ? [] : ['cpu']),
    ...(resources.memoryLimitBytes === undefined ? [] : ['memory']),
  ];
  if (cgroups.ok || names.length === 0) return undefined;
  return `limits of ${names.join(' and ')} are not enforced: ${cgroups.why}`;
}

function statusOf({ record, host }: Run): ContainerStatus {
  const { state } = host;
  return {
    key: record.key,
    id: `process://${keyText(record.key)}`,
    image: record.image,
    imageId: record.imageId,
    labels: record.labels ?? {},
    state: state.type === 'idle' ? { type: 'created' } : state,
  };
}

/** The working directory, or what stands in for one that the host does not have. */
async function usableFolder(
  wanted: string,
  image: ImageFolder | undefined,
  scratchFolder: string,
): Promise<{ readonly path: string; readonly notice?: string }> {
  makeFolder(scratchFolder);
  const isFolder = await stat(wanted).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) return { path: wanted };
  const path = image?.folder ?? scratchFolder;
  return { path, notice: `working directory ${wanted} is not on this host: it runs in ${path}` };
}

/** Another user's program must be able to pass through the folders above its own, and to write in that. */
async function openTo(podFolder: string, scratchFolder: string, user: HostUser): Promise<void> {
  for (const folder of [podFolder, dirname(podFolder), dirname(scratchFolder)]) await chmod(folder, 0o711);
  await chown(scratchFolder, user.uid, user.gid);
}
