import { type ProxyOptions, runProxy } from '../../proxy/main.ts';

/** `tutti proxy`: until it is told to stop, or fails. */
export async function runProxyProcess(options: ProxyOptions): Promise<void> {
  await runProxy(options);
}
