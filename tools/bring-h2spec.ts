import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { download } from './download.ts';
import { onPath, say } from './on-path.ts';

/** h2spec, the conformance suite of HTTP/2, at the version and with the dependencies that test/http2/h2spec/ pins: ten seconds the first time. */
export function buildH2spec(root: string): void {
  const source = join(root, 'test', 'http2', 'h2spec');
  const program = join(root, '.tools', 'bin', 'h2spec');
  if (existsSync(program) && statSync(program).mtimeMs > statSync(join(source, 'go.sum')).mtimeMs) return;
  if (!onPath('go')) return;
  say('building h2spec');
  if (!download('h2spec', ['go', 'mod', 'download'], { cwd: source })) return;
  const { status } = spawnSync('go', ['build', '-o', program, 'github.com/summerwind/h2spec/cmd/h2spec'], {
    cwd: source,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) say('h2spec: "go build" failed; its test is skipped');
}
