import { open } from 'node:fs/promises';
import type { ContainerKey, Runtime } from '../runtime/runtime.ts';

// MaxContainerTerminationMessageLength and the limits of the log's tail (pkg/kubelet/container/runtime.go).
const MAX_MESSAGE_BYTES = 4096;
const MAX_LOG_BYTES = 2048;
const MAX_LOG_LINES = 80;

/** What a container has left in its termination message file; empty when it has not. */
export async function readTerminationMessage(path: string): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return '';
  try {
    const buffer = Buffer.alloc(MAX_MESSAGE_BYTES);
    const { bytesRead } = await file.read(buffer, 0, MAX_MESSAGE_BYTES, 0);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await file.close();
  }
}

/** The end of a run's log, as `FallbackToLogsOnError` has it. */
export async function readLogEnd(runtime: Runtime, key: ContainerKey): Promise<string> {
  const pieces: Uint8Array[] = [];
  const signal = new AbortController().signal;
  for await (const piece of runtime.logs(key, { tailLines: MAX_LOG_LINES, signal })) pieces.push(piece);
  return Buffer.concat(pieces).subarray(-MAX_LOG_BYTES).toString('utf8');
}
