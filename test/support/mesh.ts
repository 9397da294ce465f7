import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Pod } from '../../api/kinds/pod.ts';
import { isConditionTrue } from '../../api/meta/condition.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { killAll, TEST_FLAGS, TEST_NODE_FLAGS } from './shop.ts';
import { type Finished, processesNaming, type RunningTutti, startTutti, tutti } from './tutti-process.ts';

/** `tutti up` with apps of a test's own making behind one ingress, in a folder of its own. */
export interface Mesh {
  readonly folder: string;
  readonly url: string;
  readonly port: number;
  up(): RunningTutti;
  /** Starts again in the place of one that has ended; the flags come after those of the first start. */
  restart(flags?: readonly string[]): Promise<void>;
  tutti(...args: string[]): Promise<Finished>;
  /** As `tutti`, and fails with what was printed unless it succeeds. */
  command(...args: string[]): Promise<string>;
  apply(...objects: readonly object[]): Promise<void>;
  get<T>(kind: string, name: string): Promise<T>;
  pods(app: string): Promise<readonly Pod[]>;
  /** Applies an app, and waits until it is rolled out. */
  run(name: string, app?: TrialApp): Promise<void>;
  /** Ctrl-C, and all of it gone. */
  stop(): Promise<void>;
}

export interface TrialApp {
  readonly replicas?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Of its pods, beside `app`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Laid over the Deployment's spec, over the pod's and over the container's. */
  readonly spec?: object;
  readonly pod?: object;
  readonly container?: object;
}

export const GATEWAY = (port: number): readonly object[] => [
  {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'edge' },
    spec: { gatewayClassName: 'tutti', listeners: [{ name: 'http', protocol: 'HTTP', port }] },
  },
];

export async function startMesh(flags: readonly string[] = []): Promise<Mesh> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-mesh-'));
  const port = await freePort();
  await mkdir(join(folder, 'images'));
  await cp(join(import.meta.dirname, 'trial-image'), join(folder, 'images', 'trial'), { recursive: true });
  await writeFile(join(folder, 'edge.yaml'), yaml(GATEWAY(port)));
  const kubeconfig = join(folder, '.tutti', 'kubeconfig');
  const start = async (more: readonly string[]): Promise<RunningTutti> => {
    const all = [...TEST_FLAGS, ...TEST_NODE_FLAGS, ...flags, ...more];
    const up = startTutti(['up', '-f', 'edge.yaml', ...all], { cwd: folder });
    await up.printed('Try next:');
    return up;
  };
  let up = await start([]);
  const at = { cwd: folder, env: { KUBECONFIG: kubeconfig } };
  const command = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await tutti(args, at);
    if (code !== 0) throw new Error(`tutti ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  };
  let files = 0;
  const apply = async (...objects: readonly object[]): Promise<void> => {
    const file = `applied-${++files}.yaml`;
    await writeFile(join(folder, file), yaml(objects));
    await command('apply', '-f', file);
  };
  return {
    folder,
    port,
    url: `http://127.0.0.1:${port}`,
    up: () => up,
    restart: async (more = []) => {
      up = await start(more);
    },
    tutti: (...args) => tutti(args, at),
    command,
    apply,
    get: async <T>(kind: string, name: string) => JSON.parse(await command('get', kind, name, '-o', 'json')) as T,
    pods: async (app) =>
      (JSON.parse(await command('get', 'pods', '-l', `app=${app}`, '-o', 'json')) as { items: Pod[] }).items,
    run: async (name, app = {}) => {
      await apply(deployment(name, app), service(name), route(name));
      await command('rollout', 'status', `deployment/${name}`, '--timeout', '120s');
    },
    stop: async () => {
      up.signal('SIGINT');
      await up.exited;
      await killAll(folder);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A Deployment of the trial image (`trial-image/`). */
export function deployment(name: string, { replicas = 1, env = {}, labels, spec, pod, container }: TrialApp): object {
  const variables = Object.entries(env).map(([key, value]) => ({ name: key, value }));
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { ...labels, app: name } },
        spec: {
          containers: [
            {
              name: 'app',
              image: 'trial',
              ports: [{ name: 'http', containerPort: 8080 }],
              env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }, ...variables],
              // With time for an answer: a machine that does other things does not make an app unready.
              readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 1, timeoutSeconds: 10 },
              ...container,
            },
          ],
          ...pod,
        },
      },
      ...spec,
    },
  };
}

export function service(name: string, selector: Readonly<Record<string, string>> = { app: name }): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  };
}

/** At the ingress, everything for this host goes to the Service of that name. */
export function route(name: string, backends: readonly object[] = [{ name, port: 80 }]): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name },
    spec: { parentRefs: [{ name: 'edge' }], hostnames: [`${name}.test`], rules: [{ backendRefs: backends }] },
  };
}

/** The app's own process of a pod. */
export function appProcess({ metadata: { uid } }: Pod): number {
  const found = processesNaming(uid).find(({ command }) => command === 'node trial.ts');
  if (found === undefined) throw new Error(`no process of pod ${uid}`);
  return found.pid;
}

/** The proxy beside a pod. */
export function sidecarProcess({ metadata: { uid } }: Pod): number {
  const [found] = proxyProcesses(`${uid}/sidecar`);
  if (found === undefined) throw new Error(`no sidecar of pod ${uid}`);
  return found;
}

/** Proxies with this text in their command line or environment, in order. */
export function proxyProcesses(text: string): readonly number[] {
  return processesNaming(text)
    .filter(({ command }) => /^\S+ (?:--\S+ )*\S*proxy\/main\.ts /.test(command))
    .map(({ pid }) => pid)
    .sort((left, right) => left - right);
}

export function isReady({ status }: Pod): boolean {
  return isConditionTrue(status.conditions, 'Ready');
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until the pods of an app are as `probe` wants them. */
export async function untilPods(
  mesh: Mesh,
  app: string,
  what: string,
  probe: (pods: readonly Pod[]) => boolean,
): Promise<readonly Pod[]> {
  return await eventually(`pods of ${app}: ${what}`, async () => {
    const pods = await mesh.pods(app);
    return probe(pods) ? pods : undefined;
  });
}

function yaml(objects: readonly object[]): string {
  return objects.map((object) => stringify(object)).join('---\n');
}
