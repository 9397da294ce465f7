// `npm run build`: the JavaScript that is published, into dist/. Sources run as they are in a clone; only a package needs this.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundleCli } from './bundle-cli.ts';
import { bundleProxy } from './bundle-proxy.ts';

const root = join(import.meta.dirname, '..');
rmSync(join(root, 'dist'), { recursive: true, force: true });
const { status } = spawnSync('tsc', ['--project', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
cpSync(join(root, 'xds'), join(root, 'dist', 'xds'), { recursive: true });
await bundleProxy(join(root, 'dist', 'proxy', 'bundle'));
await bundleCli(join(root, 'dist', 'cli', 'bundle'));
chmodSync(join(root, 'dist', 'cli', 'main.js'), 0o755);
