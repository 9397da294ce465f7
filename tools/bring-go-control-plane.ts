import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { download } from './download.ts';
import { onPath, say } from './on-path.ts';

/** Envoy's Go control plane, as a program that a test drives: about a minute of two cores the first time, Go's cache after. */
export function buildGoControlPlane(root: string): void {
  const source = join(root, 'test', 'xds', 'go-control-plane');
  const program = join(root, '.tools', 'bin', 'go-control-plane');
  const inputs = ['main.go', 'go.sum'].map((name) => statSync(join(source, name)).mtimeMs);
  if (existsSync(program) && statSync(program).mtimeMs > Math.max(...inputs)) return;
  if (!onPath('go')) return;
  say('building go-control-plane');
  if (!download('go-control-plane', ['go', 'mod', 'download'], { cwd: source })) return;
  const { status } = spawnSync('go', ['build', '-o', program, '.'], {
    cwd: source,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) say('go-control-plane: "go build" failed; its test is skipped');
}
