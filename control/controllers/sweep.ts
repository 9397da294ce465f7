import type { ControllerContext, Running } from './controller.ts';

const SWEEP_EVERY_MS = 60_000;

/** Does a pass over old things once a minute, the first at once. A pass that fails is logged and comes again. */
export function startSweep(
  { clock, log }: Pick<ControllerContext, 'clock' | 'log'>,
  what: string,
  pass: () => Promise<void>,
): Running {
  const abort = new AbortController();
  const run = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      try {
        await pass();
      } catch (error) {
        log.info({ error }, `${what}: cannot sweep, will try again`);
      }
      await clock.sleep(SWEEP_EVERY_MS, abort.signal).catch(() => {});
    }
  };
  const done = run();
  return {
    close: async () => {
      abort.abort();
      await done;
    },
  };
}
