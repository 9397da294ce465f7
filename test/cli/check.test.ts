import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { podKind } from '../../api/kinds/pod.ts';
import { serviceKind } from '../../api/kinds/service.ts';
import { type Finding } from '../../cli/check/finding.ts';
import { startTestApiServer, type TestApiServer } from '../support/api-server.ts';
import { tutti } from '../support/tutti-process.ts';

let api: TestApiServer;
let folder: string;

before(async () => {
  api = await startTestApiServer();
  folder = mkdtempSync(join(tmpdir(), 'tutti-check-'));
});
after(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

async function check(
  ...args: readonly string[]
): Promise<{ code: number | null; ok: boolean; find: (name: string) => Finding }> {
  const { code, stdout, stderr } = await tutti(['check', '-o', 'json', ...args], {
    cwd: folder,
    env: { KUBECONFIG: '', HOME: folder },
  });
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
  const find = (name: string): Finding => {
    const found = findings.find((each) => each.check === name);
    assert.ok(found, `no check "${name}" in ${stdout}${stderr}`);
    return found;
  };
  return { code, ok, find };
}

test('with no cluster the machine is examined all the same, and the end says that the server was not reached', async () => {
  const { code, ok, find } = await check();
  assert.deepEqual([code, ok], [3, false]);
  assert.equal(find('node').verdict, 'ok');
  assert.match(find('reachable').message, /kubeconfig: none found/);
  assert.match(find('reachable').hint ?? '', /tutti up/);
  assert.equal(find('pods').verdict, 'skipped');
});

test('a cluster without nodes, with a Service that selects nobody, and a pod that cannot start is told so', async () => {
  await api.client.create(serviceKind, {
    metadata: { name: 'lonely', namespace: 'default' },
    spec: { selector: { app: 'nobody' }, ports: [{ port: 80 }] },
  } as never);
  const pod = await api.client.create(podKind, {
    metadata: { name: 'broken', namespace: 'default' },
    spec: { containers: [{ name: 'app', image: 'none' }] },
  } as never);
  const containerStatuses = [
    {
      name: 'app',
      image: 'none',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { waiting: { reason: 'ImagePullBackOff', message: 'no such folder' } },
    },
  ];
  await api.client.updateStatus(podKind, { ...pod, status: { ...pod.status, containerStatuses } } as never);
  const { code, find } = await check('--kubeconfig', api.kubeconfig);
  assert.equal(code, 1);
  assert.match(find('nodes').message, /no node has joined/);
  assert.match(find('pods').message, /broken \(ImagePullBackOff\)/);
  assert.equal(find('pods').hint, '"tutti describe pod broken -n default" says why');
  assert.match(find('services').message, /default\/lonely/);
  assert.equal(find('version').verdict, 'ok');
  assert.match(find('credentials').message, /client certificate: valid for \d+ more days/);
});

test('keys that others can read are named, with the command that mends it', async () => {
  const state = join(folder, '.tutti');
  mkdirSync(join(state, 'ca'), { recursive: true });
  writeFileSync(join(state, 'ca', 'ca.key'), 'secret');
  chmodSync(join(state, 'ca', 'ca.key'), 0o644);
  const { find } = await check();
  assert.deepEqual([find('secrets').verdict, find('secrets').message], ['failed', 'others can read ca/ca.key']);
  assert.equal(find('secrets').hint, `chmod 600 ${join(state, 'ca', 'ca.key')}`);
  assert.match(find('processes').message, /nothing runs here/);
});

test('without -o it is told by category, each finding with a mark, hints below', async () => {
  const { stdout } = await tutti(['check', '--kubeconfig', api.kubeconfig], { cwd: folder });
  assert.match(stdout, /^machine\n {2}✓ node: node v\d+/);
  assert.match(
    stdout,
    /\n\ncluster\n {2}✗ nodes: no node has joined: nothing can run\n {4}hint: start one with "tutti up"/,
  );
  assert.match(stdout, /\nok: \d+, warnings: \d+, failed: \d+, skipped: \d+\n$/);
});
