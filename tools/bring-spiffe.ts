import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { download } from './download.ts';
import { onPath, say } from './on-path.ts';

/** A SPIFFE client that nobody here wrote, with what it needs, as wheels in a folder of its own. */
const SPIFFE_PACKAGE = 'spiffe==0.3.2';

export function installSpiffe(root: string): void {
  const venv = join(root, '.tools', 'spiffe');
  const python = join(root, '.tools', 'bin', 'spiffe-python');
  if (existsSync(python) || !onPath('python3')) return;
  say(`fetching ${SPIFFE_PACKAGE} (PyPI)`);
  const pip = [join(venv, 'bin', 'python'), '-m', 'pip'] as const;
  const { status } = spawnSync('python3', ['-m', 'venv', venv], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0 || !download('spiffe', [...pip, 'install', '--quiet', '--only-binary', ':all:', SPIFFE_PACKAGE])) {
    say('spiffe: not there; tests that need it are skipped');
    rmSync(venv, { recursive: true, force: true });
    return;
  }
  mkdirSync(join(root, '.tools', 'bin'), { recursive: true });
  // Not a link: Python finds its packages by where the program lies.
  writeFileSync(python, `#!/bin/sh\nexec '${join(venv, 'bin', 'python')}' "$@"\n`, { mode: 0o755 });
}
