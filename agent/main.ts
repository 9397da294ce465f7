import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { EventRecorder } from '../api/client/events/event-recorder.ts';
import type { HttpClient } from '../api/client/http-client.ts';
import { Informer } from '../api/client/informer.ts';
import { type Service, serviceKind } from '../api/kinds/service.ts';
import { controlSpiffeId } from '../api/meta/well-known.ts';
import type { Clock } from '../kit/clock.ts';
import { writeFileAtomic } from '../kit/disk.ts';
import { lockExclusively } from '../kit/exclusive-lock.ts';
import type { Logger } from '../kit/log.ts';
import { makeFolder } from '../kit/make-folder.ts';
import type { Random } from '../kit/random.ts';
import { xdsRelay } from './grpc/xds-relay.ts';
import { IdentityKeeper } from './identity/identity-keeper.ts';
import { identityHolders, serveIdentities } from './identity/serve-identities.ts';
import { tokenIssuer } from './identity/token-issuer.ts';
import { caFileOf, TrustFollower } from './identity/trust-follower.ts';
import { openPeerReader } from './identity/workload-api/peer-credentials.ts';
import { workloadSocketPath } from './identity/workload-api/socket-path.ts';
import { inspectMachine } from './node/machine.ts';
import { nodeAllocatable } from './node/node-object.ts';
import { NodeRegistration } from './node/node-registration.ts';
import { PortPool } from './node/port-pool.ts';
import type { AgentContext } from './pod/agent-context.ts';
import { PodNetwork } from './pod/pod-network.ts';
import { Pods } from './pod/pods.ts';
import { type Cgroups, cgroupHost, findCgroups, releaseCgroups } from './runtime/process/cgroup/find-cgroups.ts';
import { inheritedEnvironment } from './runtime/process/inherited-environment.ts';
import { ProcessRuntime } from './runtime/process/process-runtime.ts';
import { AGENT_MARK, reapStrays } from './runtime/process/strays.ts';
import type { Runtime } from './runtime/runtime.ts';
import { type AgentServer, type ServingCredentials, startAgentServer } from './server/agent-server.ts';
import { Ingress } from './sidecar/ingress.ts';
import type { ProxyState } from './sidecar/proxy-process.ts';
import type { ProxySettings } from './sidecar/proxy-settings.ts';
import type { TracingSettings } from './sidecar/tracing.ts';
import { ConfigCache } from './volumes/config-cache.ts';

export interface AgentOptions {
  readonly client: Pick<HttpClient, 'request'> & AgentContext['client'];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly nodeName: string;
  /** Where other nodes reach this one: mesh ports and the agent's server are on it. */
  readonly nodeAddress: string;
  /** The agent's own files are under `agent/<node>/` in it (docs/architecture.md, "State folder"). */
  readonly stateFolder: string;
  /** Where image folders are looked up, in this order. */
  readonly imageRoots: readonly string[];
  /** What starts a proxy, up to `--bootstrap FILE`: `[node, cli/main.ts, 'proxy']`. */
  readonly proxyCommand: readonly string[];
  /** For proxies, and for containers' KUBERNETES_SERVICE_HOST. */
  readonly apiServer: { readonly server: string; readonly caFile: string };
  readonly xdsAddress: string;
  readonly trustDomain: string;
  readonly serving: ServingCredentials;
  /** The control plane's CA has changed, to these roots: the agent's own credentials are to be read anew. */
  readonly onTrust?: (bundlePem: string) => Promise<void>;
  /** Missing: this node has no ingress. */
  readonly ingress?: { readonly drainMs?: number; readonly workers?: number };
  /** How long workloads' certificates are to be valid; the API server's own choice when missing. */
  readonly svidTtlSeconds?: number;
  /** Where proxies send spans; missing: nowhere. */
  readonly tracing?: TracingSettings;
  /** What the node says its agent's version is. */
  readonly version: string;
}

export interface Agent {
  /** Where its server answers, on the node's address. */
  readonly port: number;
  /** Pods of an earlier agent that ran on and were taken over. */
  readonly adopted: number;
  /** `stopped` where there is none. */
  readonly ingress: ProxyState;
  /** The node's certificate was renewed. */
  setServing(serving: ServingCredentials): void;
  /** keep: all goes on, for the next agent. stop: the ingress drains, and then all pods; resolves when nothing runs. */
  stop(options: { readonly pods: 'keep' | 'stop' }): Promise<void>;
}

/** How long a start waits to hear of the CA, so that identities need not be asked for twice. */
const TRUST_WITHIN_MS = 1000;
/** An agent that stops does not wait longer for its last events. */
const LAST_EVENTS_WITHIN_MS = 1000;
const INGRESS_DRAIN_MS = 5000;
const PROXY_GRACE_MS = 5000;

/**
 * The agent of one node: takes over what runs, makes the node known, follows its pods, keeps proxies, serves logs and
 * stats. Resolves when all of that goes on, also while the API server is away.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { client, clock, random, log, nodeName, nodeAddress } = options;
  const folder = resolve(options.stateFolder, 'agent', nodeName);
  const podsFolder = join(folder, 'pods');
  // Secrets are in it: for the agent's user alone, unless a container runs as another.
  makeFolder(podsFolder, { mode: 0o700 });
  const lock = lockExclusively(join(folder, 'lock'));
  if (lock === undefined) {
    throw new Error(
      `agent folder "${folder}": another agent works in it; stop that one, or give this one a folder of its own`,
    );
  }
  const machine = await inspectMachine(folder);
  const marks = { [AGENT_MARK]: folder };
  const cgroups = findCgroups(folder, cgroupHost());
  log.info({ cgroups }, cgroups.ok ? 'limits are enforced by control groups' : 'limits are not enforced');
  const runtime = makeRuntime(options, podsFolder, marks, cgroups);
  const events = new EventRecorder({ client, clock, random, log });
  const services = new Informer({ client, kind: serviceKind, clock, random, log, indexes: { namespace: namespaceOf } });
  const ports = new PortPool(random);
  const readPeer = openPeerReader();
  const socketPath = workloadSocketPath(folder, tmpdir(), process.getuid?.() ?? 0);
  const workloadApi = readPeer === undefined ? {} : { workloadApi: `unix://${socketPath}` };
  if (readPeer === undefined) log.info('no Workload API: it takes Linux and Node 26; proxies ask the API server');
  const caFile = caFileOf(folder);
  await writeFileAtomic(caFile, await readFile(options.apiServer.caFile));
  let trust: TrustFollower | undefined;
  const proxy: ProxySettings = {
    ...proxySettings(options, marks),
    api: { server: options.apiServer.server, caFile },
    trustGeneration: () => trust?.generation ?? 0,
    ...workloadApi,
  };
  let registration: NodeRegistration | undefined;
  const context: AgentContext = {
    nodeName,
    nodeAddress,
    podsFolder,
    client,
    runtime,
    network: new PodNetwork(
      () => registration?.podRange() ?? Promise.reject(new Error('the node is not registered')),
      ports,
      random,
    ),
    configs: new ConfigCache({ client, clock, random, log }),
    services: (namespace) => services.byIndex('namespace', namespace),
    allocatable: nodeAllocatable({ machine }),
    proxy,
    events,
    reporter: { component: 'tutti-agent', host: nodeName },
    clock,
    random,
    log,
  };
  const pods = new Pods(context);
  let ingress: Ingress | undefined;
  const server: AgentServer = await startAgentServer({
    ...options,
    address: nodeAddress,
    port: 0,
    pods,
    runtime,
    ingress: () => ingress,
  });
  registration = new NodeRegistration({
    facts: { name: nodeName, address: nodeAddress, machine, port: server.port, version: options.version },
    client,
    clock,
    random,
    log,
  });
  registration.start();
  ingress = options.ingress === undefined ? undefined : makeIngress(options, folder, proxy, ports);
  // Before proxies start or are adopted: they take their identity from it.
  const parts = { pods, runtime, ingress };
  const holders = () => identityHolders(parts);
  const { xdsAddress, trustDomain } = options;
  const relay = xdsRelay({ xdsAddress, controlSpiffeId: controlSpiffeId(trustDomain), log });
  const adoption = Promise.withResolvers<void>();
  const identities =
    readPeer === undefined
      ? undefined
      : await serveIdentities({ ...parts, socketPath, readPeer, adopted: adoption.promise, relay, clock, log });
  trust = new TrustFollower({
    client,
    caFile,
    identities: () => holders().map(({ identity }) => identity),
    onTrust: options.onTrust ?? (() => Promise.resolve()),
    clock,
    random,
    log,
  });
  await Promise.race([trust.synced(), clock.sleep(TRUST_WITHIN_MS)]);
  let servingPem = options.serving.certificatePem;
  const keeper = new IdentityKeeper({
    client,
    nodeName,
    holders,
    generation: () => trust?.generation ?? 0,
    servingPem: () => servingPem,
    clock,
    log,
  });
  await ingress?.start();
  await pods.adopt();
  adoption.resolve();
  const strays = await reapStrays(folder, [...pods.runIds(), ...(ingress?.runId ?? [])], clock);
  if (strays > 0) log.warn({ strays }, 'processes of a forgotten pod were still running and have been killed');
  // Pods that a clean stop left are known too, but nothing of them runs.
  const running = runtime.list().filter(({ state }) => state.type === 'running');
  const adopted = new Set(running.map(({ key }) => key.podUid)).size;
  pods.follow();
  return {
    port: server.port,
    adopted,
    get ingress() {
      return ingress?.state ?? 'stopped';
    },
    setServing: (serving) => {
      server.setServing(serving);
      servingPem = serving.certificatePem;
    },
    stop: async ({ pods: what }) => {
      await Promise.all([keeper.close(), trust?.close()]);
      if (what === 'stop') {
        await ingress?.drain(options.ingress?.drainMs ?? INGRESS_DRAIN_MS);
        await Promise.all([ingress?.stop(PROXY_GRACE_MS), pods.stopAll()]);
      } else {
        await Promise.all([ingress?.close(), pods.close()]);
      }
      await identities?.close();
      await registration?.close();
      await events.close({ withinMs: LAST_EVENTS_WITHIN_MS });
      await Promise.all([server.close(), services.close(), context.configs.close(), runtime.close()]);
      await context.network.close();
      releaseCgroups(cgroups);
      lock.release();
    },
  };
}

function makeRuntime(
  options: AgentOptions,
  podsFolder: string,
  marks: Readonly<Record<string, string>>,
  cgroups: Cgroups,
): Runtime {
  // `node` in a container is the one that runs the agent, unless that goes by another name.
  const nodeFolder = basename(process.execPath) === 'node' ? dirname(process.execPath) : undefined;
  const { imageRoots, clock, log } = options;
  return new ProcessRuntime({
    podsFolder,
    imageRoots: imageRoots.map((root) => resolve(root)),
    hostEnv: inheritedEnvironment(process.env),
    nodeFolder,
    marks,
    cgroups,
    clock,
    log,
  });
}

function proxySettings(
  options: AgentOptions,
  marks: Readonly<Record<string, string>>,
): Omit<ProxySettings, 'api' | 'trustGeneration'> {
  const { client, proxyCommand, xdsAddress, trustDomain, svidTtlSeconds, tracing, clock, random, log } = options;
  // What a collector knows its senders by stays out of the bootstrap files.
  const collectorHeaders = process.env['OTEL_EXPORTER_OTLP_HEADERS'];
  const secrets =
    tracing === undefined || collectorHeaders === undefined ? {} : { OTEL_EXPORTER_OTLP_HEADERS: collectorHeaders };
  return {
    command: proxyCommand,
    program: [options.version, ...proxyCommand].join(' '),
    // All proxies run the same code: compiled once, it costs each later one a third of its start and 25 MB less.
    env: {
      ...inheritedEnvironment(process.env),
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? resolve(options.stateFolder, 'cache'),
      ...secrets,
      ...marks,
    },
    xdsAddress,
    trustDomain,
    ...(svidTtlSeconds === undefined ? {} : { svidTtlSeconds }),
    ...(tracing === undefined ? {} : { tracing }),
    issue: tokenIssuer(client),
    clock,
    random,
    log,
  };
}

function makeIngress(options: AgentOptions, folder: string, settings: ProxySettings, ports: PortPool): Ingress {
  const { nodeName, nodeAddress, log, ingress } = options;
  const workers = ingress?.workers ?? 1;
  const onChange = (state: ProxyState): void => log.debug({ state }, 'ingress');
  return new Ingress({ folder: join(folder, 'ingress'), nodeName, nodeAddress, settings, workers, ports, onChange });
}

function namespaceOf({ metadata }: Service): readonly string[] {
  return [metadata.namespace ?? ''];
}
