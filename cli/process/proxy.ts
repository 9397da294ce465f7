import { type ProxyOptions, runProxy } from '../../proxy/main.ts';
import { CommandError } from '../output/exit-codes.ts';

/** `tutti proxy`: until it is told to stop, or fails. What stands in its way is told in words; a defect keeps its stack. */
export async function runProxyProcess(options: ProxyOptions): Promise<void> {
  try {
    await runProxy(options);
  } catch (error) {
    // Our own words and the system's; what JavaScript throws of itself has a class of its own.
    const isTold = error instanceof Error && Object.getPrototypeOf(error) === Error.prototype;
    throw isTold ? new CommandError(error.message, { cause: error }) : error;
  }
}
