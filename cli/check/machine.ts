import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { readTextIfPresent } from '../../kit/disk.ts';
import { failed, type Outcome, ok, warning } from './finding.ts';

/** As package.json's `engines` says. */
const OLDEST_NODE = 24;
/** A proxied request takes two descriptors, and a busy sidecar keeps hundreds of connections. */
const FEW_FILES = 4096;
const LITTLE_BYTES = 1024 ** 3;
const TOO_LITTLE_BYTES = 50 * 1024 ** 2;

export function checkNode(version: string): Outcome {
  const major = Number(/^v(\d+)/.exec(version)?.[1] ?? 0);
  if (major >= OLDEST_NODE) return ok(`node ${version}`);
  return failed(
    `node ${version} is too old: ${OLDEST_NODE} or newer is needed`,
    'run "npm ci" in a clone, which brings its own, or install a newer Node',
  );
}

export function checkPlatform(platform: string, arch: string): Outcome {
  if (platform === 'linux' && (arch === 'x64' || arch === 'arm64')) return ok(`${platform} on ${arch}`);
  if (platform === 'darwin') {
    return warning(
      'macOS has no loopback addresses beyond 127.0.0.1: sidecars do not start',
      'use Linux, or add the addresses with "ifconfig lo0 alias"',
    );
  }
  return failed(`${platform} on ${arch} is not supported`, 'use Linux on x64 or arm64');
}

/** Pods and Services have addresses of their own in 127.0.0.0/8. */
export async function checkLoopback(): Promise<Outcome> {
  for (const address of ['127.64.0.1', '127.96.0.1']) {
    try {
      await bindOnce(address);
    } catch (error) {
      return failed(
        `${address} cannot be bound: ${(error as Error).message}`,
        'pods and Services need all of 127.0.0.0/8 on the loopback interface',
      );
    }
  }
  return ok('addresses of pods (127.64.0.0/12) and Services (127.96.0.0/12) can be bound');
}

async function bindOnce(address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, address, () => server.close(() => resolve()));
  });
}

/** Each container is held by a one-line shell script, which outlives the agent. */
export async function checkShell(): Promise<Outcome> {
  try {
    await access('/bin/sh', constants.X_OK);
    return ok('/bin/sh holds containers');
  } catch {
    return failed('/bin/sh cannot be executed', 'install a shell: each container is started by one');
  }
}

export async function checkOpenFiles(): Promise<Outcome> {
  const limits = await readTextIfPresent('/proc/self/limits');
  const soft = /^Max open files\s+(\d+)/m.exec(limits ?? '')?.[1];
  if (soft === undefined) return ok('no limit of open files');
  if (Number(soft) >= FEW_FILES) return ok(`${soft} open files a process`);
  return warning(
    `only ${soft} open files a process: a proxied request takes two`,
    `raise it with "ulimit -n ${FEW_FILES}" or more before "tutti up"`,
  );
}

export async function checkDisk(folder: string): Promise<Outcome> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const shown = `${Math.round(free / 1024 ** 2)} MiB free for state and logs`;
  if (free < TOO_LITTLE_BYTES) return failed(shown, `free some of the disk that holds ${folder}`);
  return free < LITTLE_BYTES ? warning(shown, `free some of the disk that holds ${folder}`) : ok(shown);
}
