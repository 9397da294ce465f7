import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { builtinsByName } from './bundle-builtins.ts';
import { lateRequires } from './bundle-late-requires.ts';

const root = join(import.meta.dirname, '..');

/**
 * The proxy's program, with all packages that it uses, in few files: `main.js` and `worker-main.js`, and what is loaded late beside them.
 * 338 modules looked up, read and linked one by one cost each sidecar 7 MB and 150 ms of CPU at its start.
 */
export async function bundleProxy(folder: string): Promise<void> {
  // Each by itself: what both need would be cut out of them into more and smaller files, which cost a start more than what is there twice.
  for (const entry of ['proxy/main.ts', 'proxy/workers/worker-main.ts']) await bundle(entry, folder);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
}

async function bundle(entry: string, folder: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    entryNames: '[name]',
    outdir: folder,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    plugins: [builtinsByName, lateRequires],
    // Sources stay in memory; names stay, so that a stack says where.
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'warning',
  });
}
