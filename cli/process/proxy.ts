import { runProxy } from '../../proxy/main.ts';

/** `tutti proxy`: until it is told to stop, or fails. */
export async function runProxyProcess(bootstrap: string): Promise<void> {
  await runProxy(bootstrap);
}
