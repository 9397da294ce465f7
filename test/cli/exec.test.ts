import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { isReady, testNode } from '../support/agent-node.ts';
import { startTutti, tutti } from '../support/tutti-process.ts';

const APP = `
require('node:http').createServer((request, response) => {
  if (request.method === 'POST') request.pipe(response);
  else response.end('from the pod');
}).listen(Number(process.env.PORT), '127.0.0.1');
`;

test('tutti exec and tutti port-forward reach into a pod', { timeout: 240_000 }, async (t) => {
  const node = await testNode(t);
  await node.start();
  const ports = [{ containerPort: 8080 }, { containerPort: 9999 }];
  const readinessProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1 };
  const env = [{ name: 'PORT', value: '8080' }];
  const app = { name: 'app', image: 'none', command: [process.execPath, '-e', APP], ports, env, readinessProbe };
  await node.run('web', { containers: [app] });
  await node.until('web', 'is ready', isReady);
  const options = { cwd: node.stateFolder, env: { KUBECONFIG: node.api.kubeconfig } };

  await t.test('a command’s output, errors and exit code are those of tutti', async () => {
    const line = ['exec', 'web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 42'];
    assert.deepEqual(await tutti(line, options), { code: 42, stdout: 'out\n', stderr: 'err\n' });
  });

  await t.test('standard input is passed on whole', async () => {
    const input = 'many lines of input\n'.repeat(50_000);
    const { code, stdout } = await tutti(['exec', '-i', 'pod/web', '--', 'sha256sum'], { ...options, input });
    const wanted = createHash('sha256').update(input).digest('hex');
    assert.deepEqual([code, stdout.split(' ')[0]], [0, wanted]);
  });

  for (const [line, code, says] of [
    ['exec web -- /no/such', 1, /"\/no\/such": executable file not found/],
    ['exec missing -- true', 1, /pods "missing" not found/],
    ['exec web -c x -- true', 1, /container x is not valid for pod web, choose one of: \[app\]/],
    ['exec -it web -- sh', 2, /--tty: this is not a terminal/],
    ['exec web', 2, /missing required argument/],
    ['port-forward web x', 2, /port "x": LOCAL:REMOTE, PORT or :REMOTE was wanted/],
    ['port-forward missing 80', 1, /pods "missing" not found/],
  ] as const) {
    await t.test(`"tutti ${line}" ends with ${code} and says why`, async () => {
      const finished = await tutti(line.split(' '), options);
      assert.equal(finished.code, code, finished.stderr);
      assert.match(finished.stderr, says);
    });
  }

  await t.test('ports are forwarded until Ctrl-C, and what fails is said', async () => {
    const forwarding = startTutti(['port-forward', 'web', ':8080', ':9999'], options);
    await forwarding.printed(/-> 9999/);
    const [app_ = '', closed = ''] = [...forwarding.stdout().matchAll(/127\.0\.0\.1:(\d+) ->/g)].map(
      ([, port]) => port,
    );
    const url = `http://127.0.0.1:${app_}/`;
    assert.equal(await (await fetch(url)).text(), 'from the pod');
    const body = randomBytes(1_500_000);
    const echoed = await (await fetch(url, { method: 'POST', body })).arrayBuffer();
    assert.ok(Buffer.from(echoed).equals(body));
    await assert.rejects(fetch(`http://127.0.0.1:${closed}/`));
    await forwarding.printed(/error forwarding port 9999 to pod web: .*ECONNREFUSED/);
    forwarding.signal('SIGINT');
    assert.equal(await forwarding.exited, 130);
  });
});
