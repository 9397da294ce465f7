/** As the proxy's `--concurrency` has it: more threads than any machine that we know has cores. */
const MAX_WORKERS = 256;

/** What `tutti.dev/concurrency` says; undefined where it is not there. */
export type ProxyConcurrency = { readonly workers: number | 'auto' } | { readonly problem: string };

/** Worker threads of a sidecar: a number (0 is 1, as with Envoy) or `auto`, one for each core. */
export function readProxyConcurrency(text: string | undefined): ProxyConcurrency | undefined {
  if (text === undefined) return undefined;
  if (text === 'auto') return { workers: 'auto' };
  const workers = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  return workers <= MAX_WORKERS
    ? { workers: Math.max(1, workers) }
    : { problem: `${JSON.stringify(text)}: wanted "auto", or a number of workers from 0 to ${MAX_WORKERS}` };
}
