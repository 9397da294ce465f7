// Runs after `npm ci` in a clone: generates what is not kept in the repository and puts `tutti` on npm's PATH.
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateXds } from './generate-xds.ts';

const root = join(import.meta.dirname, '..');

/**
 * `npx tutti` in a clone: a launcher beside npm's other links. It names the bundled Node by path, because the shell
 * that calls it may have an older one.
 */
function linkCommand(): void {
  const folder = join(root, 'node_modules', '.bin');
  mkdirSync(folder, { recursive: true });
  const launcher = join(folder, 'tutti');
  writeFileSync(
    launcher,
    `#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
node="$here/node"
[ -x "$node" ] || node=node
exec "$node" "$here/../../cli/main.ts" "$@"
`,
  );
  chmodSync(launcher, 0o755);
}

linkCommand();
if (existsSync(join(root, 'node_modules', 'protobufjs-cli'))) await generateXds(root);
else
  process.stdout.write(
    'prepare: protobufjs-cli is not installed (development dependencies left out): xds/ not generated\n',
  );
