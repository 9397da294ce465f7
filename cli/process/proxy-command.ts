import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How an agent starts a proxy. Proxies are started from their own file: the other commands would cost each of them memory. And
 * nothing that a request makes outlives it, so that a young generation of 1 MB is enough; V8 would let it grow to 16 MB while the
 * proxy starts and keep the pages (6 MB of an idle sidecar; CPU per request is the same). The published package has the proxy in few
 * files (tools/bundle-proxy.ts).
 */
export function proxyCommand(): readonly string[] {
  const folder = join(import.meta.dirname, '..', '..', 'proxy');
  const source = join(folder, 'main.ts');
  const flags = [...PROXY_NODE_FLAGS, ...PROXY_START_FLAGS];
  return [process.execPath, ...flags, existsSync(source) ? source : join(folder, 'bundle', 'main.js')];
}

export const PROXY_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=1'];

/** A start is not optimized: see proxy/compiled-code.ts, which goes back to V8's own thresholds when it is over. */
export const PROXY_START_FLAGS: readonly string[] = [
  '--invocation-count-for-maglev=20000',
  '--invocation-count-for-maglev-osr=20000',
];
