import { open } from 'node:fs/promises';
import type { Container } from '../../api/kinds/container.ts';
import type { ContainerKey, Runtime } from '../runtime/runtime.ts';

// MaxContainerTerminationMessageLength and the limits of the log's tail (pkg/kubelet/container/runtime.go).
const MAX_MESSAGE_BYTES = 4096;
const MAX_LOG_BYTES = 2048;
const MAX_LOG_LINES = 80;

/** What a container says of its end: its termination message file, or, when its policy says so, the end of its log. */
export async function readTerminationMessage(
  runtime: Runtime,
  key: ContainerKey,
  container: Pick<Container, 'terminationMessagePolicy'>,
  file: string,
  exitCode: number,
): Promise<string> {
  const message = await readStart(file, MAX_MESSAGE_BYTES);
  if (message !== '' || exitCode === 0 || container.terminationMessagePolicy !== 'FallbackToLogsOnError')
    return message;
  const pieces: Uint8Array[] = [];
  const signal = new AbortController().signal;
  for await (const piece of runtime.logs(key, { tailLines: MAX_LOG_LINES, signal })) pieces.push(piece);
  return Buffer.concat(pieces).subarray(-MAX_LOG_BYTES).toString('utf8');
}

async function readStart(path: string, bytes: number): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return '';
  try {
    const buffer = Buffer.alloc(bytes);
    const { bytesRead } = await file.read(buffer, 0, bytes, 0);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await file.close();
  }
}
