import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { needs, program } from '../../test/support/programs.ts';

// The system's own resolver (glibc) with a pod's resolv.conf, in a network and mount namespace of its own, where port 53 is free.

/** As the kubelet writes it for a pod of namespace `default` (dnsPolicy ClusterFirst). */
const RESOLV_CONF = `search default.svc.cluster.local svc.cluster.local cluster.local
nameserver 127.0.0.1
options ndots:5 timeout:5 attempts:2
`;

const asRoot =
  process.getuid?.() === 0 || process.env['CI'] === 'true' ? needs('unshare', 'nsenter', 'ip') : { skip: 'needs root' };

let server: ChildProcess | undefined;
let folder: string;

before(async () => {
  if (asRoot.skip !== false) return;
  folder = mkdtempSync(join(tmpdir(), 'tutti-resolver-'));
  const file = join(folder, 'resolv.conf');
  writeFileSync(file, RESOLV_CONF);
  const script = join(import.meta.dirname, '../testing/serve-sample.ts');
  // With loopback addresses alone glibc takes the host for one without IPv4 and IPv6 (AI_ADDRCONFIG).
  const network = 'ip link set lo up && ip addr add 192.0.2.1/32 dev lo && ip addr add 2001:db8::1/128 dev lo';
  const steps = `${network} && mount --bind "${file}" /etc/resolv.conf && exec "${process.execPath}" "${script}" 53`;
  server = spawn(program('unshare'), ['--net', '--mount', 'sh', '-c', steps], { stdio: ['ignore', 'pipe', 'inherit'] });
  assert.ok(server.stdout !== null);
  const [line] = (await Promise.race([once(server.stdout, 'data'), once(server, 'exit')])) as [unknown];
  assert.match(String(line), /^port 53/);
});

after(async () => {
  if (server !== undefined && server.exitCode === null) {
    const gone = once(server, 'exit');
    server.kill();
    await gone;
  }
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** What getent finds, each address once; nothing for a name that nobody has. */
function getent(database: 'ahostsv4' | 'ahostsv6', name: string): string[] {
  const inside = ['--target', String(server?.pid), '--net', '--mount', 'getent', database, name];
  const { stdout, status } = spawnSync(program('nsenter'), inside, { encoding: 'utf8', timeout: 30_000 });
  assert.ok(status === 0 || status === 2, `getent ${name}: exit ${String(status)}`);
  return [...new Set(stdout.split('\n').map((line) => line.split(/\s+/)[0] ?? ''))]
    .filter((word) => word !== '')
    .sort();
}

const found: readonly (readonly [name: string, addresses: readonly string[]])[] = [
  ['web', ['127.96.0.10']],
  ['web.default', ['127.96.0.10']],
  ['web.other', ['127.96.0.20']],
  ['web.other.svc', ['127.96.0.20']],
  ['web.default.svc.cluster.local', ['127.96.0.10']],
  ['web.default.svc.cluster.local.', ['127.96.0.10']],
  ['WEB.Default', ['127.96.0.10']],
  ['db', ['127.64.0.6', '127.64.0.7', '127.64.0.8']],
  ['db-0.db', ['127.64.0.7']],
  ['alias', ['127.96.0.10']],
  ['early', ['127.64.0.31']],
  ['empty', []],
  ['nobody', []],
];

for (const [name, addresses] of found) {
  test(
    `the system's resolver finds "${name}" through the search list: ${addresses.join(', ') || 'nothing'}`,
    asRoot,
    () => {
      assert.deepEqual(getent('ahostsv4', name), addresses);
    },
  );
}

test("the system's resolver finds IPv6 addresses, and names of addresses", asRoot, () => {
  assert.deepEqual(getent('ahostsv6', 'dual'), ['fd00::11']);
  const inside = ['--target', String(server?.pid), '--net', '--mount', 'getent', 'hosts', '127.64.0.7'];
  const { stdout } = spawnSync(program('nsenter'), inside, { encoding: 'utf8', timeout: 30_000 });
  assert.match(stdout, /^127\.64\.0\.7\s+db-0\.db\.default\.svc\.cluster\.local$/m);
});
