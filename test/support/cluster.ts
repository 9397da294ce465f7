import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HttpClient, httpClient } from '../../api/client/http-client.ts';
import { readKubeconfig } from '../../api/client/kubeconfig.ts';
import type { KubeObject } from '../../api/kinds/kind.ts';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import { kindOf } from '../../api/kinds/registry.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { deployment, GATEWAY, isReady, route, service, type TrialApp } from './mesh.ts';
import { killAll, TEST_FLAGS } from './shop.ts';
import { type Finished, processesNaming, type RunningTutti, startTutti, tutti } from './tutti-process.ts';

/** One machine of a cluster: a state folder, an address and a process of its own. */
export interface ClusterNode {
  readonly name: string;
  readonly address: string;
  readonly data: string;
  readonly agent: () => RunningTutti;
  /** Starts an agent in the place of one that has ended; a token is given only with `invitation`, the flags of a join. */
  restart(invitation?: readonly string[]): Promise<void>;
  /** kill -9 of the agent alone. */
  killAgent(): Promise<void>;
  /** kill -9 of the agent and of all that it has started, as when a machine loses its power. */
  killAll(): Promise<void>;
}

/** A control plane and nodes that joined it by token, each a process of its own. */
export interface Cluster {
  readonly folder: string;
  /** Of the Gateway at the first node. */
  readonly url: string;
  readonly kubeconfig: string;
  readonly control: RunningTutti;
  readonly nodes: readonly ClusterNode[];
  readonly client: HttpClient;
  tutti(...args: string[]): Promise<Finished>;
  /** As `tutti`, and fails with what was printed unless it succeeds. */
  command(...args: string[]): Promise<string>;
  pods(app: string): Promise<readonly Pod[]>;
  run(name: string, app?: TrialApp): Promise<void>;
  stop(): Promise<void>;
}

/** Nodes `node-1` at 127.0.0.2, `node-2` at 127.0.0.3 and so on; the first has the ingress. */
export async function startCluster(count: number): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-cluster-'));
  const port = await freePort();
  await mkdir(join(folder, 'images'));
  await cp(join(import.meta.dirname, 'trial-image'), join(folder, 'images', 'trial'), { recursive: true });
  const control = startTutti(['control', ...TEST_FLAGS, '--data', join(folder, 'control')], { cwd: folder });
  const kubeconfig = join(folder, 'control', 'kubeconfig');
  const at = { cwd: folder, env: { KUBECONFIG: kubeconfig } };
  const command = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await tutti(args, at);
    if (code !== 0) throw new Error(`tutti ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  };
  const nodes: ClusterNode[] = [];
  let client: HttpClient | undefined;
  const stop = async (): Promise<void> => {
    await client?.close();
    for (const node of nodes) node.agent().signal('SIGTERM');
    control.signal('SIGTERM');
    await Promise.all([control.exited, ...nodes.map((node) => node.agent().exited)]);
    await killAll(folder);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await control.printed('kubeconfig:');
    const admin = httpClient({ ...(await readKubeconfig(kubeconfig)), userAgent: 'test' });
    client = admin;
    for (let at = 1; at <= count; at++) {
      const join = (await command('token', 'create')).trim().split(' ').slice(1);
      nodes.push(startNode({ folder, name: `node-${at}`, address: `127.0.0.${at + 1}`, isEdge: at === 1 }, join));
    }
    await Promise.all(nodes.map(({ agent }) => agent().printed(/node \S+: ready/)));
    for (const object of GATEWAY(port)) await create(admin, object);
    return {
      folder,
      url: `http://127.0.0.1:${port}`,
      kubeconfig,
      control,
      nodes,
      client: admin,
      tutti: (...args) => tutti(args, at),
      command,
      pods: async (app) => (await admin.list(podKind, { namespace: 'default', labelSelector: `app=${app}` })).items,
      run: async (name, app = {}) => {
        for (const object of [deployment(name, app), service(name), route(name)]) await create(admin, object);
        const wanted = app.replicas ?? 1;
        await eventually(`${wanted} pods of ${name} are ready`, async () => {
          const { items } = await admin.list(podKind, { namespace: 'default', labelSelector: `app=${name}` });
          return items.filter(isReady).length === wanted || undefined;
        });
      },
      stop,
    };
  } catch (error) {
    await stop();
    const said = [control, ...nodes.map((node) => node.agent())].map((process) => process.stderr()).join('');
    throw new Error(`the cluster did not start:\n${said}`, { cause: error });
  }
}

interface Machine {
  readonly folder: string;
  readonly name: string;
  readonly address: string;
  readonly isEdge: boolean;
}

function startNode({ folder, name, address, isEdge }: Machine, joinCommand: readonly string[]): ClusterNode {
  const data = join(folder, name);
  const own = ['--data', data, '--node-name', name, '--node-address', address, '--images', join(folder, 'images')];
  const flags = [...own, '--dns-port', '0', '--log-level', 'info', ...(isEdge ? [] : ['--no-ingress'])];
  let agent = startTutti([...joinCommand, ...flags], { cwd: folder });
  return {
    name,
    address,
    data,
    agent: () => agent,
    restart: async (invitation = []) => {
      agent = startTutti(['agent', ...invitation, ...flags], { cwd: folder });
      await agent.printed(/node \S+: ready/);
    },
    killAgent: async () => {
      agent.signal('SIGKILL');
      await agent.exited;
    },
    killAll: async () => {
      agent.signal('SIGKILL');
      for (const { pid } of processesNaming(data)) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // Gone meanwhile.
        }
      }
      await agent.exited;
    },
  };
}

async function create(client: HttpClient, object: object): Promise<void> {
  const { apiVersion, kind: name, metadata, ...rest } = object as KubeObject & { metadata: object };
  const kind = kindOf(apiVersion, name);
  if (kind === undefined) throw new Error(`${name}: no such kind`);
  const draft = { ...rest, metadata: { ...(kind.namespaced ? { namespace: 'default' } : {}), ...metadata } };
  await client.create(kind, draft);
}
