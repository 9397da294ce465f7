import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How an agent starts a proxy. Proxies are started from their own file: the other commands would cost each of them memory. The published
 * package has the proxy in few files (tools/bundle-proxy.ts).
 */
export function proxyCommand(): readonly string[] {
  const folder = join(import.meta.dirname, '..', '..', 'proxy');
  const source = join(folder, 'main.ts');
  const flags = [...PROXY_NODE_FLAGS, ...PROXY_START_FLAGS];
  return [process.execPath, ...flags, existsSync(source) ? source : join(folder, 'bundle', 'main.js')];
}

/**
 * Up to 8 MB for new objects, where a proxy has much to do (proxy/young-generation.ts): V8 by itself would go to 16, already while it
 * starts. What 16 take off beside 8 is less than what runs differ by.
 */
export const PROXY_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=8'];

/** A start is not optimized: see proxy/compiled-code.ts, which goes back to V8's own thresholds when it is over. */
export const PROXY_START_FLAGS: readonly string[] = [
  '--invocation-count-for-maglev=20000',
  '--invocation-count-for-maglev-osr=20000',
];
