/** Beyond this a process has more threads than any machine that we know has cores. */
const MAX_WORKERS = 256;

/**
 * The value of `--concurrency`, or of another flag that says as much, as Envoy's: so many workers; 0 is one, as there. `auto` is one for each core, which is what Envoy
 * does when it is not told; we run one then, because most proxies are sidecars. Throws with what is wanted.
 */
export function readConcurrency(text: string, cores: number, flag = '--concurrency'): number {
  if (text === 'auto') return Math.min(MAX_WORKERS, Math.max(1, cores));
  const workers = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(workers <= MAX_WORKERS)) {
    throw new Error(`${flag} "${text}": wanted "auto", or a number of workers from 0 to ${MAX_WORKERS}`);
  }
  return Math.max(1, workers);
}
