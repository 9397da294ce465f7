import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Agent, type AgentOptions, startAgent } from '../../agent/main.ts';
import { sweepCgroups } from '../../agent/runtime/process/cgroup/cgroup.ts';
import { cgroupHost, findCgroups, releaseCgroups } from '../../agent/runtime/process/cgroup/find-cgroups.ts';
import { processesWithEnvironment } from '../../agent/runtime/process/host/proc-table.ts';
import { AGENT_MARK, reapStrays } from '../../agent/runtime/process/strays.ts';
import type { AgentProcessFile } from '../../agent/testing/agent-process.ts';
import { eventually } from '../../agent/testing/eventually.ts';
import { type HttpClient, httpClient } from '../../api/client/http-client.ts';
import { nodeKind } from '../../api/kinds/node.ts';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import { serviceAccountKind } from '../../api/kinds/service-account.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import { UNROUTED } from '../../api/meta/well-known.ts';
import { systemClock } from '../../kit/clock.ts';
import { createLog, silentLog } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';
import { startTestApiServer, TEST_TRUST_DOMAIN, type TestApiServer } from './api-server.ts';

/** A node with a real API server, whose proxies are stand-ins. */
export interface TestNode {
  readonly api: TestApiServer;
  /** As an administrator. */
  readonly admin: HttpClient;
  readonly stateFolder: string;
  readonly images: string;
  readonly agentFolder: string;
  /** What an agent here is started with. */
  readonly options: AgentOptions;
  /** Starts an agent; it is let go when the test ends, and all that it started is killed. */
  start(changes?: Partial<AgentOptions>): Promise<Agent>;
  /** Starts an agent in a process of its own; gives how to kill it, as with -9. */
  startProcess(): Promise<() => Promise<void>>;
  /** Creates a pod that is bound to the node. */
  run(name: string, spec: Record<string, unknown>, metadata?: Partial<Pod['metadata']>): Promise<Pod>;
  get(name: string): Promise<Pod>;
  /** Waits until the pod is as `probe` wants it. */
  until(name: string, what: string, probe: (pod: Pod) => boolean): Promise<Pod>;
  /** Deletes the pod, and says at once that no proxy routes to it. */
  remove(name: string): Promise<void>;
  untilGone(name: string): Promise<void>;
  podFolder(pod: Pod): string;
  /** Processes that any agent of this node has started and that still run. */
  processes(): readonly number[];
}

export const TEST_NODE = 'test-node';

/**
 * Pods have addresses of this machine, and test files run beside each other: each process has a /22 of 127.64.0.0/12 for itself.
 * Not the first, which is that of every cluster's first node.
 */
async function ownRange(): Promise<string> {
  for (let step = 0; step < 1023; step++) {
    const index = 1 + ((process.pid + step) % 1023);
    const base = `127.${64 + (index >> 6)}.${(index & 63) * 4}.0`;
    if (await isOurs(base)) return `${base}/22`;
  }
  throw new Error('every range of pod addresses is taken');
}

let range: Promise<string> | undefined;

/** Whoever is bound to the range's first address, which no pod is given, has the range: until the process ends. */
async function isOurs(base: string): Promise<boolean> {
  const held = createSocket('udp4').bind({ port: 10_000, address: base, exclusive: true });
  try {
    await once(held, 'listening');
    held.unref();
    return true;
  } catch {
    held.close();
    return false;
  }
}

/** Programs that stand beside the agent's tests. */
const TESTING = join(import.meta.dirname, '..', '..', 'agent', 'testing');

export async function testNode(t: TestContext, changes: Partial<AgentOptions> = {}): Promise<TestNode> {
  const stateFolder = await mkdtemp(join(tmpdir(), 'tutti-agent-'));
  const agentFolder = join(stateFolder, 'agent', TEST_NODE);
  const images = join(stateFolder, 'images');
  await mkdir(images);
  const api = closedOnce(await startTestApiServer());
  await api.client.create(serviceAccountKind, { metadata: { name: 'default', namespace: 'default' } });
  await api.client.create(nodeKind, { metadata: { name: TEST_NODE }, spec: { podCIDR: await (range ??= ownRange()) } });
  const { client, options: settings } = await agentSettings(api, stateFolder, images, changes);
  const level = process.env['AGENT_TEST_LOG'];
  const agentClient = httpClient(client);
  const options: AgentOptions = {
    ...settings,
    client: agentClient,
    clock: systemClock(),
    random: systemRandom(),
    log: level === undefined ? silentLog() : createLog({ level: level as 'debug', format: 'text' }),
  };
  const admin = httpClient({
    server: api.server,
    caPem: api.authority.trustBundlePem,
    credentials: {
      kind: 'certificate',
      certificatePem: api.admin.certificateChainPem,
      keyPem: api.admin.privateKeyPem,
    },
    userAgent: 'test',
  });
  const agents: Agent[] = [];
  t.after(async () => {
    await Promise.all(agents.map((agent) => agent.stop({ pods: 'keep' })));
    await reapStrays(agentFolder, [], systemClock());
    await Promise.all([admin.close(), agentClient.close()]);
    await api.close();
    const cgroups = findCgroups(agentFolder, cgroupHost());
    if (cgroups.ok) sweepCgroups(cgroups.folder, new Set());
    releaseCgroups(cgroups);
    await rm(stateFolder, { recursive: true, force: true });
  });
  const get = (name: string): Promise<Pod> => admin.get(podKind, { namespace: 'default', name });
  return {
    api,
    admin,
    stateFolder,
    images,
    agentFolder,
    options,
    get,
    start: async (others = {}) => {
      const agent = await startAgent({ ...options, ...others });
      agents.push(agent);
      return agent;
    },
    startProcess: async () => {
      const file = join(stateFolder, 'agent-process.json');
      await writeFile(file, JSON.stringify({ client, options: settings } satisfies AgentProcessFile));
      const child = spawn(process.execPath, [join(TESTING, 'agent-process.ts'), file], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(child, 'exit');
      t.after(() => child.kill('SIGKILL'));
      await once(child.stdout, 'data');
      return async () => {
        child.kill('SIGKILL');
        await exited;
      };
    },
    run: (name, spec, metadata = {}) =>
      admin.create(podKind, {
        metadata: { name, namespace: 'default', ...metadata },
        spec: { nodeName: TEST_NODE, terminationGracePeriodSeconds: 5, ...spec } as unknown as Pod['spec'],
      }),
    until: (name, what, probe) =>
      eventually(`pod ${name}: ${what}`, async () => {
        const pod = await get(name);
        if (!probe(pod)) throw new Error(JSON.stringify(pod.status));
        return pod;
      }),
    remove: async (name) => {
      const ref = { namespace: 'default', name };
      await admin.delete(podKind, ref);
      const unrouted = { type: UNROUTED, status: 'True', lastTransitionTime: new Date().toISOString() };
      const status = { conditions: [unrouted] };
      await admin.patch(podKind, ref, { status }, { type: 'strategic', subresource: 'status' }).catch(() => undefined);
    },
    untilGone: async (name) => {
      await eventually(`pod ${name} is gone`, () =>
        get(name).then(
          () => false,
          (error: unknown) => hasCode(error, 404),
        ),
      );
    },
    podFolder: ({ metadata }) => join(agentFolder, 'pods', metadata.uid),
    processes: () => processesWithEnvironment(AGENT_MARK, agentFolder).map(({ pid }) => pid),
  };
}

async function agentSettings(
  api: TestApiServer,
  stateFolder: string,
  images: string,
  changes: Partial<AgentOptions>,
): Promise<AgentProcessFile> {
  const caFile = join(stateFolder, 'ca.crt');
  await writeFile(caFile, api.authority.trustBundlePem);
  const credentials = api.authority.issueClient({ user: `system:node:${TEST_NODE}`, groups: ['system:nodes'] });
  const serving = api.authority.issueServing({
    dnsNames: [TEST_NODE],
    ipAddresses: ['127.0.0.1'],
    spiffeId: `spiffe://${TEST_TRUST_DOMAIN}/tutti/agent/${TEST_NODE}`,
  });
  return {
    client: {
      server: api.server,
      caPem: api.authority.trustBundlePem,
      credentials: {
        kind: 'certificate',
        certificatePem: credentials.certificateChainPem,
        keyPem: credentials.privateKeyPem,
      },
      userAgent: 'agent',
    },
    options: {
      nodeName: TEST_NODE,
      nodeAddress: '127.0.0.1',
      stateFolder,
      imageRoots: [images],
      proxyCommand: [process.execPath, join(TESTING, 'fake-proxy.ts')],
      apiServer: { server: api.server, caFile },
      xdsAddress: '127.0.0.1:1',
      trustDomain: TEST_TRUST_DOMAIN,
      serving: {
        certificatePem: serving.certificateChainPem,
        privateKeyPem: serving.privateKeyPem,
        clientCaPem: api.authority.trustBundlePem,
      },
      version: 'v0.0.0-test',
      ...changes,
    },
  };
}

/** A test that needs the API server away closes it before the end. */
function closedOnce(api: TestApiServer): TestApiServer {
  let closing: Promise<void> | undefined;
  return { ...api, close: () => (closing ??= api.close()) };
}

export function isReady({ status }: Pod): boolean {
  return status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
}

/** What the stand-in proxy beside a pod has heard, in order. */
export async function heardBy(folder: string): Promise<readonly string[]> {
  const text = await readFile(join(folder, 'heard'), 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => line.split(' ')[0] || []);
}
