import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';

const IMAGES = join(import.meta.dirname, 'images', 'shop');

export interface RunningService {
  readonly url: string;
  readonly process: ChildProcess;
  /** Every line that it has logged. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>;
}

/** Runs a service of the shop as its image does, on a port of the system's choice; for tests, which end it with them. */
export async function startService(
  context: TestContext,
  image: string,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningService> {
  const child = spawn(process.execPath, ['server.ts'], {
    cwd: join(IMAGES, image),
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', POD_NAME: `${image}-test`, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    const [code] = await exited;
    return code;
  };
  context.after(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    return exited;
  });
  const log: Record<string, unknown>[] = [];
  const lines = createInterface({ input: child.stdout });
  const port = await new Promise<unknown>((resolve, reject) => {
    lines.on('line', (line) => {
      const entry = JSON.parse(line) as Record<string, unknown>;
      log.push(entry);
      if (entry['message'] === 'listening') resolve(entry['port']);
    });
    exited.then(([code]) => reject(new Error(`${image}: ended with ${code} before it listened`)), reject);
  });
  return { url: `http://127.0.0.1:${String(port)}`, process: child, log, stop };
}
