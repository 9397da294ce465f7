import { basename, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { builtinsByName } from './bundle-builtins.ts';

const root = join(import.meta.dirname, '..');

/**
 * The commands that are clients, with all packages that they use, in one file: `command-line.js`. 640 modules looked up, read and linked one
 * by one are half of what such a command costs. What runs a process of the mesh stays in files beside it (cli/main.ts chooses).
 */
export async function bundleCli(folder: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ['cli/command-line.ts'],
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [builtinsByName, processesApart],
    logLevel: 'warning',
  });
}

/** The published files lie as far from the bundle as from the commands. */
const processesApart: Plugin = {
  name: 'processes apart',
  setup: (build) => {
    build.onResolve({ filter: /^\.\.\/(?:process|up)\// }, ({ path, kind, importer }) => {
      if (kind !== 'dynamic-import' || basename(join(importer, '..')) !== 'commands') return undefined;
      return { path: path.replace(/\.ts$/, '.js'), external: true };
    });
  },
};
