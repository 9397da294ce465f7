import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { EXIT, type Exit } from '../../cli/output/exit-codes.ts';
import { startTestApiServer, type TestApiServer } from '../support/api-server.ts';
import { tutti } from '../support/tutti-process.ts';

// What scripts rely on: the exit code by what went wrong, the message on standard error, and nothing on standard output.

let api: TestApiServer;
let folder: string;

before(async () => {
  api = await startTestApiServer();
  folder = mkdtempSync(join(tmpdir(), 'tutti-exits-'));
  writeFileSync(join(folder, 'broken.yaml'), 'kind: [');
  const closed = { server: 'https://127.0.0.1:1', name: 'closed' };
  writeFileSync(
    join(folder, 'closed'),
    `current-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: '${closed.server}'}}]\nusers: [{name: u, user: {token: t}}]\n`,
  );
});
after(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

const table: readonly (readonly [line: string, exit: Exit, says: RegExp])[] = [
  ['version --client', 'ok', /^$/],
  ['get pods', 'ok', /No resources found in default namespace/],
  ['get pod missing', 'failed', /pods "missing" not found/],
  ['apply -f broken.yaml', 'failed', /broken\.yaml/],
  ['get', 'usage', /missing required argument/],
  ['get pods --no-such-flag', 'usage', /unknown option/],
  ['no-such-command', 'usage', /unknown command/],
  ['get nothings', 'usage', /kind "nothings": not known/],
  ['get pods -o table', 'usage', /output format "table"/],
  ['get pods --kubeconfig closed', 'unreachable', /127\.0\.0\.1:1/],
  ['get pods --kubeconfig not-there', 'failed', /not-there/],
  ['rollout status deployment/none --timeout 1s', 'failed', /deployments\.apps "none" not found/],
];

for (const [line, exit, says] of table) {
  test(`"tutti ${line}" ends with ${EXIT[exit].code}: ${EXIT[exit].meaning}`, async () => {
    const { code, stdout, stderr } = await tutti(line.split(' '), { cwd: folder, env: { KUBECONFIG: api.kubeconfig } });
    assert.equal(code, EXIT[exit].code, stderr);
    assert.match(stderr, says);
    if (exit !== 'ok') assert.equal(stdout, '');
  });
}
