import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { program } from '../../support/programs.ts';
import { type ReferenceServer, referenceServer, send } from '../server.ts';
import type { Oracle } from './build.ts';

export interface RunningOracle {
  readonly server: ReferenceServer;
  stop(): Promise<void>;
}

/** A minute each: the machine may be busy. */
const START_TIMEOUT_MS = 120_000;

/** etcd and kube-apiserver on free ports of loopback, with the Gateway API's kinds, in a folder that goes with them. */
export async function startOracle({ apiServer, definitions }: Oracle): Promise<RunningOracle> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-oracle-'));
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
  const token = 'administrator';
  const [keyFile, tokenFile] = [join(folder, 'service-accounts.pem'), join(folder, 'tokens.csv')];
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(tokenFile, `${token},admin,admin,system:masters\n`, { mode: 0o600 });
  const etcd = start(folder, program('etcd'), [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=http://127.0.0.1:${client}`,
    `--advertise-client-urls=http://127.0.0.1:${client}`,
    `--listen-peer-urls=http://127.0.0.1:${peer}`,
  ]);
  const kubernetes = start(folder, apiServer, [
    `--etcd-servers=http://127.0.0.1:${client}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(folder, 'certificates')}`,
    '--service-cluster-ip-range=127.96.0.0/12',
    '--endpoint-reconciler-type=none',
    `--token-auth-file=${tokenFile}`,
    '--authorization-mode=RBAC',
    '--allow-privileged=true',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${keyFile}`,
    `--service-account-signing-key-file=${keyFile}`,
  ]);
  const server = referenceServer(`https://127.0.0.1:${port}`, { token });
  const stop = async (): Promise<void> => {
    await server.dispatcher.close();
    for (const child of [kubernetes, etcd]) await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await eventually('the oracle is ready', () => isReady(server), START_TIMEOUT_MS);
    for (const file of definitions) await define(server, file);
    return { server, stop };
  } catch (error) {
    const log = readFileSync(join(folder, 'kube-apiserver.log'), 'utf8').slice(-4000);
    await stop();
    throw new Error(`the oracle did not start:\n${log}`, { cause: error });
  }
}

function start(folder: string, path: string, args: readonly string[]): ChildProcess {
  const name = path.includes('etcd') ? 'etcd' : 'kube-apiserver';
  const log = openSync(join(folder, `${name}.log`), 'w');
  return spawn(path, args, { stdio: ['ignore', log, log] });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function isReady(server: ReferenceServer): Promise<boolean> {
  const { statusCode, body } = await send(server, { method: 'GET', path: '/readyz', headers: {} });
  await body.dump();
  const defaults = await send(server, { method: 'GET', path: '/api/v1/namespaces/default', headers: {} });
  await defaults.body.dump();
  return statusCode === 200 && defaults.statusCode === 200;
}

/** Makes the kinds of one file, and waits until they are served. */
async function define(server: ReferenceServer, file: string): Promise<void> {
  const definition = parse(readFileSync(file, 'utf8')) as Definition;
  const headers = { 'content-type': 'application/json' };
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const made = await send(server, { method: 'POST', path, headers, body: JSON.stringify(definition) });
  const answer = await made.body.text();
  if (made.statusCode !== 201) throw new Error(`${file}: ${made.statusCode} ${answer}`);
  const { group, names, versions } = definition.spec;
  const version = versions.find(({ served }) => served)?.name ?? '';
  await eventually(
    `${names.plural} are served`,
    async () => {
      const list = await send(server, {
        method: 'GET',
        path: `/apis/${group}/${version}/${names.plural}`,
        headers: {},
      });
      await list.body.dump();
      return list.statusCode === 200;
    },
    START_TIMEOUT_MS,
  );
}

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}
