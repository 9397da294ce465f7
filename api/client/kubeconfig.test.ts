import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { formatKubeconfig, readKubeconfig } from './kubeconfig.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tutti-kubeconfig-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function written(text: string): Promise<string> {
  const path = join(folder, `config-${Math.random()}`);
  await writeFile(path, text);
  return path;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const CONFIG = `
apiVersion: v1
kind: Config
current-context: main
preferences: {}
clusters:
- name: here
  cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: ${base64('CA')}}
- name: there
  cluster: {server: "https://there.example:6443", insecure-skip-tls-verify: true, certificate-authority: ca.pem}
contexts:
- {name: main, context: {cluster: here, user: admin, namespace: shop}}
- {name: remote, context: {cluster: there, user: robot}}
- {name: nobody, context: {cluster: here}}
- {name: plugin, context: {cluster: here, user: plugin}}
- {name: half, context: {cluster: here, user: half}}
- {name: lost, context: {cluster: nowhere}}
users:
- {name: admin, user: {client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')}}}
- {name: robot, user: {tokenFile: token}}
- {name: plugin, user: {exec: {command: aws}}}
- {name: half, user: {client-certificate-data: ${base64('CERT')}}}
`;

test('the current context gives address, trust and identity', async () => {
  assert.deepEqual(await readKubeconfig(await written(CONFIG)), {
    context: 'main',
    server: 'https://127.0.0.1:6443',
    caPem: 'CA',
    insecureSkipTlsVerify: false,
    credentials: { kind: 'certificate', certificatePem: 'CERT', keyPem: 'KEY' },
    namespace: 'shop',
  });
});

test('files are found beside the kubeconfig, and a token is read anew each time', async () => {
  await writeFile(join(folder, 'ca.pem'), 'CA FILE');
  await writeFile(join(folder, 'token'), 'first\n');
  const connection = await readKubeconfig(await written(CONFIG), { context: 'remote' });
  assert.equal(connection.caPem, 'CA FILE');
  assert.equal(connection.insecureSkipTlsVerify, true);
  assert.equal(connection.namespace, 'default');
  assert.ok(connection.credentials.kind === 'token');
  assert.equal(await connection.credentials.token(), 'first');
  await writeFile(join(folder, 'token'), 'second\n');
  assert.equal(await connection.credentials.token(), 'second');
});

test('a context without a user is anonymous', async () => {
  const { credentials } = await readKubeconfig(await written(CONFIG), { context: 'nobody' });
  assert.deepEqual(credentials, { kind: 'anonymous' });
});

const REFUSED: readonly (readonly [what: string, text: string, context: string | undefined, message: RegExp])[] = [
  ['an unknown context', CONFIG, 'other', /no context "other"; there is: main, remote/],
  ['an unknown cluster', CONFIG, 'lost', /no cluster "nowhere"/],
  ['a credential plugin', CONFIG, 'plugin', /not supported/],
  ['half a client certificate', CONFIG, 'half', /both are needed/],
  ['no context at all', 'apiVersion: v1', undefined, /no current-context/],
  ['what is no kubeconfig', 'clusters: 1', undefined, /clusters/],
  ['broken YAML', 'a: [', undefined, /Flow sequence|flow/],
];

for (const [what, text, context, message] of REFUSED) {
  test(`${what} is refused, with the file's name`, async () => {
    const path = await written(text);
    await assert.rejects(readKubeconfig(path, { context }), (error: Error) => {
      assert.ok(error.message.startsWith(`kubeconfig ${path}: `));
      assert.match(error.message, message);
      return true;
    });
  });
}

test('what is written is read back', async () => {
  const pem = '-----BEGIN X-----\nabc\n-----END X-----\n';
  const text = formatKubeconfig({
    name: 'tutti',
    server: 'https://127.0.0.1:6443',
    caPem: pem,
    certificatePem: pem,
    keyPem: pem,
  });
  const connection = await readKubeconfig(await written(text));
  assert.equal(connection.context, 'tutti');
  assert.deepEqual([connection.caPem, connection.server], [pem, 'https://127.0.0.1:6443']);
  assert.deepEqual(connection.credentials, { kind: 'certificate', certificatePem: pem, keyPem: pem });
});
