import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { Attach, Exec, KubeConfig, PortForward, type V1Status } from '@kubernetes/client-node';
import { WebSocket } from 'ws';
import { processesWithEnvironment, readProcTable } from '../../agent/runtime/process/host/proc-table.ts';
import { isReady, type TestNode, testNode } from '../support/agent-node.ts';
import { eventually } from '../support/eventually.ts';
import { findProgram, needs } from '../support/programs.ts';
import { run } from '../support/tutti-process.ts';
import { Kubectl } from './kubectl.ts';

/** Answers with the port it was asked at, and to a POST with what it got. */
const APP = `
const server = require('node:http').createServer((request, response) => {
  if (request.method === 'POST') request.pipe(response);
  else response.end('container port 8080');
});
server.listen(Number(process.env.PORT), '127.0.0.1');
setInterval(() => console.log('tick'), 100);
`;

/** Kubernetes' Python client, as Debian has it (python3-kubernetes): it sends text messages, in the fourth protocol. */
const PYTHON = `
import sys
from kubernetes import client, config
from kubernetes.stream import portforward, stream
config.load_kube_config(sys.argv[1])
api = client.CoreV1Api()
command = ['sh', '-c', 'read line; echo got $line; echo bad >&2; exit 5']
running = stream(api.connect_get_namespaced_pod_exec, 'web', 'default', container='helper', command=command,
                 stdin=True, stdout=True, stderr=True, tty=False, _preload_content=False)
running.write_stdin('typed\\n')
running.run_forever(timeout=30)
print(running.read_stdout().strip())
print(running.read_stderr().strip())
print(running.returncode)
forward = portforward(api.connect_get_namespaced_pod_portforward, 'web', 'default', ports='8080')
connection = forward.socket(8080)
connection.setblocking(True)
connection.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
answer = b''
while True:
    piece = connection.recv(4096)
    if not piece:
        break
    answer += piece
print(answer.split(b'\\r\\n\\r\\n')[1].decode())
print(forward.error(8080))
`;

function needsPython(): { readonly skip: string | false } {
  const isThere = existsSync('/usr/lib/python3/dist-packages/kubernetes') || process.env['CI'] === 'true';
  return { skip: isThere ? false : 'needs python3-kubernetes' };
}

interface Cluster {
  readonly node: TestNode;
  readonly kubectl: Kubectl;
  readonly config: KubeConfig;
  /** Lets the pods run on without an agent. */
  readonly stopAgent: () => Promise<void>;
}

async function cluster(t: TestContext): Promise<Cluster> {
  const node = await testNode(t);
  const agent = await node.start();
  const ports = [{ containerPort: 8080 }, { containerPort: 9999 }];
  const env = [
    { name: 'PORT', value: '8080' },
    { name: 'GREETING', value: 'hello from the pod' },
  ];
  const app = { name: 'app', image: 'none', command: [process.execPath, '-e', APP], ports, env };
  const readinessProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1, timeoutSeconds: 20 };
  const helper = { name: 'helper', image: 'none', command: ['sleep', '3600'] };
  await node.run('web', { containers: [{ ...app, readinessProbe }, helper] });
  const once_ = { restartPolicy: 'Never', containers: [{ name: 'job', image: 'none', command: ['true'] }] };
  await node.run('done', once_);
  await node.until('web', 'is ready', isReady);
  await node.until('done', 'has ended', ({ status }) => status.phase === 'Succeeded');
  const config = new KubeConfig();
  config.loadFromFile(node.api.kubeconfig);
  return { node, kubectl: new Kubectl(node.api), config, stopAgent: () => agent.stop({ pods: 'keep' }) };
}

/** Processes that were started by exec on the node and still run. */
function execProcesses(node: TestNode): readonly number[] {
  const here = new Set(node.processes());
  return processesWithEnvironment('TUTTI_EXEC_ID').flatMap(({ pid }) => (here.has(pid) ? pid : []));
}

const OPTIONS = { timeout: 300_000, ...needs('kubectl', 'tar') };

test('kubectl and client-node run commands in a pod, copy files and forward ports', OPTIONS, async (t) => {
  const { node, kubectl, config, stopAgent } = await cluster(t);
  const folder = node.stateFolder;

  await t.test('a command has the environment of its container, and its output comes apart', async () => {
    const { code, stdout, stderr } = await kubectl.run('exec web -c app -- sh -c', ['echo "$GREETING"; echo bad >&2']);
    assert.deepEqual([code, stdout, stderr], [0, 'hello from the pod\n', 'bad\n']);
    assert.match(await kubectl.ok('exec web -- printenv GREETING'), /hello from the pod/);
  });

  await t.test('its exit code is the exit code of kubectl', async () => {
    const { code, stderr } = await kubectl.run('exec web -c helper -- sh -c', ['exit 42']);
    assert.deepEqual([code, stderr], [42, 'command terminated with exit code 42\n']);
    assert.equal((await kubectl.run('exec web -c helper -- sh -c', ['kill -TERM $$'])).code, 143);
  });

  await t.test('what is piped in arrives whole, and its end ends the command', async () => {
    const input = 'a line of some length that is repeated\n'.repeat(60_000);
    const wanted = createHash('sha256').update(input).digest('hex');
    assert.equal((await kubectl.ok('exec -i web -c helper -- sha256sum', [], { input })).split(' ')[0], wanted);
    // A command that does not want it all ends all the same.
    assert.equal(await kubectl.ok('exec -i web -c helper -- head -c 6', [], { input }), 'a line');
  });

  await t.test('much output is whole, whatever the pace', async () => {
    const out = await kubectl.ok('exec web -c helper -- sh -c', ['seq 1 200000']);
    assert.equal(out.length, 1_288_895);
  });

  await t.test('what can not be is refused in words', async () => {
    assert.match(await kubectl.refused('exec web -c helper -- /no/such'), /"\/no\/such": executable file not found/);
    assert.match(await kubectl.refused('exec web -c nope -- true'), /container nope is not valid.*\[app helper\]/);
    assert.match(await kubectl.refused('exec missing -- true'), /pods "missing" not found/);
    assert.match(await kubectl.refused('exec done -- true'), /completed pod; current phase is Succeeded/);
    const asSomebody = ['--as=jane', '--as-group=system:authenticated'];
    assert.match(await kubectl.refused('get pods', asSomebody), /forbidden/);
    // An agent may read everything: reading must not be enough.
    const asAgent = ['--as=system:node:x', '--as-group=system:nodes', 'exec', 'web', '-c', 'helper', '--', 'true'];
    assert.match(await kubectl.refused('-n default', asAgent), /cannot create resource "pods\/exec"/);
    await eventually('nothing of any command runs', () => execProcesses(node).length === 0);
  });

  await t.test('a terminal is one: with its size, its echo and its signals', async () => {
    const script = findProgram('script');
    if (script === undefined) {
      assert.match(await kubectl.refused('exec -it web -c helper -- tty'), /needs the program "script"/);
      return;
    }
    const typed = new PassThrough();
    const out = new PassThrough();
    let status: V1Status | undefined;
    const command = ['sh', '-c', 'tty; read line; echo got $line; stty size; exit 3'];
    const socket = await new Exec(config).exec(
      'default',
      'web',
      'helper',
      command,
      out,
      null,
      typed,
      true,
      (is) => (status = is),
    );
    const closed = new Promise((resolve) => (socket.onclose = resolve));
    let printed = '';
    out.setEncoding('utf8').on('data', (piece: string) => (printed += piece));
    socket.send(Buffer.concat([Buffer.of(4), Buffer.from('{"Width":123,"Height":45}')]));
    await eventually('it prints its terminal', () => printed.includes('/dev/pts/'));
    await eventually('the size is set', async () => {
      const size = await kubectl.ok('exec web -c helper -- stty -F', [
        /\/dev\/pts\/\d+/.exec(printed)?.[0] ?? '',
        'size',
      ]);
      return size.trim() === '45 123';
    });
    typed.write('word\n');
    await closed;
    assert.match(printed, /word\r\ngot word\r\n45 123\r\n/);
    assert.equal(status?.details?.causes?.[0]?.message, '3');
  });

  await t.test('a client that is killed leaves no process', async () => {
    const script = 'trap "" HUP TERM; echo up; (trap "" HUP TERM; setsid sleep 1000) & while :; do sleep 1; done';
    const running = kubectl.start('exec web -c helper -- sh -c', [script]);
    await running.prints('up');
    await eventually('its children run', () => execProcesses(node).length >= 3);
    await running.stop();
    await eventually('nothing of it runs', () => execProcesses(node).length === 0);
    await node.until('web', 'is ready as before', isReady);
  });

  await t.test('files are copied both ways byte for byte', async () => {
    const bytes = randomBytes(3_000_001);
    await writeFile(join(folder, 'there.bin'), bytes);
    await kubectl.ok('cp -c helper', [join(folder, 'there.bin'), `web:${folder}/inside.bin`]);
    assert.ok((await readFile(join(folder, 'inside.bin'))).equals(bytes));
    await kubectl.ok('cp -c helper', [`web:${folder}/inside.bin`, join(folder, 'back.bin')]);
    assert.ok((await readFile(join(folder, 'back.bin'))).equals(bytes));
  });

  await t.test('attach shows what a container prints from now on', async () => {
    const attached = kubectl.start('attach web -c app');
    await attached.prints('tick');
    await attached.stop();
    const refused = await kubectl.refused('attach -i web -c app');
    assert.match(refused, /neither standard input nor a terminal/);
    const out = new PassThrough();
    const socket = await new Attach(config).attach('default', 'web', 'app', out, null, null, false);
    const [piece] = (await once(out, 'data')) as [Buffer];
    assert.match(piece.toString(), /tick/);
    socket.close();
  });

  await t.test('client-node runs a command: output, input, status', async () => {
    const [out, err] = [new PassThrough(), new PassThrough()];
    const input = new PassThrough();
    input.end('typed');
    const status = new Promise<V1Status>((resolve, reject) => {
      new Exec(config)
        .exec('default', 'web', 'helper', ['sh', '-c', 'cat; echo no >&2; exit 7'], out, err, input, false, resolve)
        .catch(reject);
    });
    assert.deepEqual(await Promise.all([text(out), text(err)]), ['typed', 'no\n']);
    const { reason, details } = await status;
    assert.deepEqual([reason, details?.causes?.[0]], ['NonZeroExitCode', { reason: 'ExitCode', message: '7' }]);
  });

  await t.test('client-node forwards a port to the port that the process really has', async () => {
    const [out, err, input] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const socket = await new PortForward(config).portForward('default', 'web', [8080], out, err, input);
    const closed = new Promise((resolve) => (socket as WebSocket).on('close', resolve));
    input.write('GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n');
    await closed;
    out.end();
    assert.match(await text(out), /^HTTP\/1.1 200 OK[^]*container port 8080/);
  });

  await t.test('the Python client runs a command and forwards a port', needsPython(), async () => {
    const { code, stdout, stderr } = await run('/usr/bin/python3', ['-c', PYTHON, node.api.kubeconfig], {
      cwd: folder,
    });
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.trim().split('\n'), ['got typed', 'bad', '5', 'container port 8080', 'None']);
  });

  await t.test('kubectl port-forward carries requests, side by side, and says when nobody listens', async () => {
    const forwarding = spawn(kubectl.program(), ['port-forward', 'pod/web', ':8080', ':9999'], {
      env: { ...process.env, KUBECONFIG: node.api.kubeconfig, HOME: node.api.folder },
    });
    const exited = once(forwarding, 'exit');
    let printed = '';
    for (const stream of [forwarding.stdout, forwarding.stderr]) {
      stream.setEncoding('utf8').on('data', (piece: string) => (printed += piece));
    }
    t.after(() => forwarding.kill('SIGKILL'));
    const local = (port: number): Promise<string> =>
      eventually(`port ${port} is forwarded`, () => new RegExp(`127.0.0.1:(\\d+) -> ${port}`).exec(printed)?.[1]);
    const url = `http://127.0.0.1:${await local(8080)}/`;
    const soon = (): AbortSignal => AbortSignal.timeout(120_000);
    assert.equal(await (await fetch(url, { signal: soon() })).text(), 'container port 8080');
    const bodies = Array.from({ length: 6 }, () => randomBytes(400_000));
    const echoed = await Promise.all(
      bodies.map(async (body) => {
        const answer = await fetch(url, { method: 'POST', body, signal: soon() });
        return Buffer.from(await answer.arrayBuffer());
      }),
    );
    assert.ok(echoed.every((body, at) => body.equals(bodies[at] ?? Buffer.alloc(0))));
    await assert.rejects(fetch(`http://127.0.0.1:${await local(9999)}/`, { signal: soon() }));
    await eventually('the failure is told', () => /error forwarding port 9999 to pod web.*ECONNREFUSED/.test(printed));
    // kubectl gives up by itself after such a failure.
    forwarding.kill('SIGINT');
    await exited;
    assert.match(await kubectl.refused('port-forward pod/done :80'), /pod is not running. Current status=Succeeded/);
  });

  await t.test('a handshake that is refused is answered with a Status', async () => {
    const exec = '/api/v1/namespaces/default/pods/web/exec?container=helper&command=true&stdout=1';
    assert.deepEqual(await handshake(node, exec, 'v5.channel.k8s.io'), [101, 'v5.channel.k8s.io']);
    assert.deepEqual(await handshake(node, exec, 'v4.channel.k8s.io'), [101, 'v4.channel.k8s.io']);
    const cases: readonly (readonly [path: string, code: number, words: RegExp, as?: 'nobody'])[] = [
      [exec, 400, /WebSocket protocol: not \\"v1.example\\"; served are v5/],
      [exec, 403, /system:anonymous.*cannot get resource/, 'nobody'],
      ['/api/v1/namespaces/default/pods/none/exec?command=true&stdout=1', 404, /pods \\"none\\" not found/],
      ['/api/v1/namespaces/default/pods/web/log', 404, /could not find the requested resource/],
      ['/api/v1/namespaces/default/pods/web', 404, /could not find the requested resource/],
      ['/version', 404, /could not find the requested resource/],
      ['/api/v1/namespaces/default/pods/%2e%2e/exec', 404, /could not find the requested resource/],
    ];
    for (const [path, code, words, as] of cases) {
      const [status, body] = await handshake(node, path, 'v1.example', as);
      assert.equal(status, code, path);
      assert.match(body, words);
      assert.equal((JSON.parse(body) as V1Status).code, code);
    }
  });

  await t.test('a message that is too long ends the stream, and nothing of the command is left', async () => {
    const exec = '/api/v1/namespaces/default/pods/web/exec?container=helper&command=cat&stdin=1&stdout=1';
    const socket = connect(node, exec, 'v5.channel.k8s.io');
    await once(socket, 'open');
    socket.send(Buffer.alloc(1024 * 1024 + 1));
    const [code] = (await once(socket, 'close')) as [number];
    assert.equal(code, 1009);
    await eventually('nothing of it runs', () => execProcesses(node).length === 0);
  });

  await t.test('a client that does not read holds up the command and nobody else', async () => {
    const path = '/api/v1/namespaces/default/pods/web/exec?container=helper&command=yes&stdout=1';
    const socket = connect(node, path, 'v5.channel.k8s.io');
    await once(socket, 'message');
    socket.pause();
    let before = -1;
    await eventually('the command waits for its reader', () => {
      const used = cpuOf(node, 'yes');
      const waits = used === before;
      before = used;
      return waits;
    });
    assert.equal(await kubectl.ok('exec web -c helper -- echo', ['through']), 'through\n');
    socket.terminate();
    await eventually('nothing of it runs', () => execProcesses(node).length === 0);
  });

  await t.test('while no agent answers, that is what is said', async () => {
    await stopAgent();
    assert.match(await kubectl.refused('exec web -c helper -- true'), /agent of node "test-node": .*ECONNREFUSED/);
    assert.match(await kubectl.refused('port-forward pod/web :8080'), /agent of node "test-node": .*ECONNREFUSED/);
  });
});

function connect({ api }: TestNode, path: string, protocol: string, as?: 'nobody'): WebSocket {
  const { certificateChainPem: cert, privateKeyPem: key } = api.admin;
  const credentials = as === 'nobody' ? {} : { cert, key };
  const url = `${api.server.replace('https', 'wss')}${path}`;
  return new WebSocket(url, [protocol], { ca: api.authority.trustBundlePem, ...credentials });
}

/** The status and the protocol that was agreed on, or the body of a refusal. */
async function handshake(...asking: Parameters<typeof connect>): Promise<readonly [code: number, text: string]> {
  const socket = connect(...asking);
  socket.on('error', () => undefined);
  const refused = once(socket, 'unexpected-response').then(async ([, response]) => {
    const { statusCode = 0 } = response as IncomingMessage;
    return [statusCode, await text(response as IncomingMessage)] as const;
  });
  const opened = once(socket, 'open').then(() => [101, socket.protocol] as const);
  const answer = await Promise.race([refused, opened]);
  for (const other of [refused, opened]) other.catch(() => undefined);
  socket.terminate();
  return answer;
}

/** Clock ticks that processes of exec with that name have used. */
function cpuOf(node: TestNode, name: string): number {
  const pids = new Set(execProcesses(node));
  const named = readProcTable().filter(({ pid }) => pids.has(pid) && readCommand(pid) === name);
  return named.reduce((ticks, { cpuTicks }) => ticks + cpuTicks, 0);
}

function readCommand(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}
