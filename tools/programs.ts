import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { buildGoControlPlane } from './bring-go-control-plane.ts';
import { buildH2spec } from './bring-h2spec.ts';
import { installKubectls } from './bring-kubectl.ts';
import { installSpiffe } from './bring-spiffe.ts';
import { attempt } from './download.ts';
import { onPath, say } from './on-path.ts';

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
  ['varnishtest', 'varnish'],
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

/**
 * Brings what is missing, where that is possible: as root on Debian through apt, others through npm, pip and Go. Elsewhere the tests that need a
 * program are skipped and named. Never fails: a missing program is the tests' finding.
 */
export function installPrograms(root: string): void {
  const missing = DEBIAN.filter(([program]) => !onPath(program));
  if (missing.length > 0 && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    const packages = missing.map(([, name]) => name);
    say(`installing ${packages.join(' ')}`);
    // Services that a package brings must not start: tests start their own.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    // apt-get itself asks again for what does not come within a while, and ends with 0 where a list did not come.
    const patient = ['-q', '-o', 'Acquire::Retries=3', '-o', 'Acquire::http::Timeout=30'];
    const apt = (...args: readonly string[]) =>
      spawnSync('apt-get', [...patient, ...args], { stdio: ['ignore', 'ignore', 'inherit'], env });
    attempt('Debian packages', () => {
      apt('update');
      const { status } = apt('-y', '--no-install-recommends', 'install', ...packages);
      return status === 0 ? undefined : `apt-get ended with ${status}`;
    });
  }
  installKubectls(root);
  buildGoControlPlane(root);
  buildH2spec(root);
  installSpiffe(root);
}
