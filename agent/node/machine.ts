import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { arch, availableParallelism, platform, release, totalmem, type } from 'node:os';
import { bootId } from '../runtime/process/host/proc-table.ts';
import type { Machine } from './node-object.ts';

/** Go's names of architectures, which Kubernetes uses (go/src/internal/platform). */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ia32: '386', arm: 'arm' };

/** What this machine has; `folder` is on the disk that pods use. */
export async function inspectMachine(folder: string): Promise<Machine> {
  const disk = await statfs(folder);
  return {
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    architecture: ARCHITECTURES[arch()] ?? arch(),
    operatingSystem: platform(),
    osImage: osName() ?? type(),
    kernelVersion: release(),
    machineId: textOf('/etc/machine-id') ?? '',
    bootId: bootId(),
    freeDiskBytes: disk.bavail * disk.bsize,
    nodeVersion: process.version,
  };
}

/** os-release(5). */
function osName(): string | undefined {
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(textOf('/etc/os-release') ?? '')?.[1];
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
