import { Resolver } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import type { ListOptions } from '../../api/client/client.ts';
import { endpointSliceKind } from '../../api/kinds/endpoint-slice.ts';
import { gatewayKind } from '../../api/kinds/gateway.ts';
import { httpRouteKind } from '../../api/kinds/http-route.ts';
import type { Kind, KubeObject } from '../../api/kinds/kind.ts';
import { nodeKind } from '../../api/kinds/node.ts';
import { podKind } from '../../api/kinds/pod.ts';
import { serviceKind } from '../../api/kinds/service.ts';
import { CLUSTER_DOMAIN } from '../../api/meta/well-known.ts';
import type { Cluster } from '../cluster/context.ts';
import { listProxies } from '../cluster/list-proxies.ts';
import { checkNodes, checkPods, checkProxies, checkRoutes, checkServices } from './cluster-health.ts';
import { failed, type Outcome, ok, skipped, warning } from './finding.ts';
import { checkDisk, checkLoopback, checkNode, checkOpenFiles, checkPlatform, checkShell } from './machine.ts';
import { checkAuthority, checkCertificate, checkRunning, checkSecrets } from './state-folder.ts';

export interface Subject {
  readonly stateFolder: string;
  readonly nowMs: number;
  /** Undefined when the API server cannot be reached: then its own check has said so. */
  readonly cluster: Cluster | undefined;
  /** Where the node's DNS server answers; undefined when the state folder does not say. */
  readonly dnsServer: string | undefined;
}

export interface Check {
  readonly category: 'machine' | 'state folder' | 'API server' | 'cluster';
  readonly name: string;
  readonly run: (subject: Subject) => Outcome | Promise<Outcome>;
}

/** Everything that is looked at, in the order in which it is told: what the rest stands on comes first. */
export const CHECKS: readonly Check[] = [
  { category: 'machine', name: 'node', run: () => checkNode(process.version) },
  { category: 'machine', name: 'platform', run: () => checkPlatform(process.platform, process.arch) },
  { category: 'machine', name: 'loopback', run: checkLoopback },
  { category: 'machine', name: 'shell', run: checkShell },
  { category: 'machine', name: 'open files', run: checkOpenFiles },
  { category: 'state folder', name: 'disk', run: inFolder(({ stateFolder }) => checkDisk(stateFolder)) },
  { category: 'state folder', name: 'secrets', run: inFolder(({ stateFolder }) => checkSecrets(stateFolder)) },
  {
    category: 'state folder',
    name: 'authority',
    run: inFolder(({ stateFolder, nowMs }) => checkAuthority(stateFolder, nowMs)),
  },
  { category: 'state folder', name: 'processes', run: inFolder(({ stateFolder }) => checkRunning(stateFolder)) },
  { category: 'API server', name: 'version', run: inCluster(checkVersion) },
  { category: 'API server', name: 'credentials', run: inCluster(checkCredentials) },
  {
    category: 'cluster',
    name: 'nodes',
    run: inCluster(async ({ cluster }) => checkNodes(await all(cluster, nodeKind))),
  },
  {
    category: 'cluster',
    name: 'proxies',
    run: inCluster(async ({ cluster }) => checkProxies(await listProxies(cluster))),
  },
  { category: 'cluster', name: 'pods', run: inCluster(async ({ cluster }) => checkPods(await all(cluster, podKind))) },
  {
    category: 'cluster',
    name: 'services',
    run: inCluster(async ({ cluster }) =>
      checkServices(await all(cluster, serviceKind), await all(cluster, endpointSliceKind)),
    ),
  },
  {
    category: 'cluster',
    name: 'routes',
    run: inCluster(async ({ cluster }) =>
      checkRoutes(await all(cluster, gatewayKind), await all(cluster, httpRouteKind)),
    ),
  },
  { category: 'cluster', name: 'dns', run: inCluster(checkDns) },
];

type Reached = Subject & { readonly cluster: Cluster };

function inFolder(run: Check['run']): Check['run'] {
  return (subject) =>
    existsSync(subject.stateFolder) ? run(subject) : skipped(`no state folder ${subject.stateFolder} here`);
}

function inCluster(run: (subject: Reached) => Outcome | Promise<Outcome>): Check['run'] {
  return (subject) => {
    const { cluster } = subject;
    return cluster === undefined ? skipped('the API server was not reached') : run({ ...subject, cluster });
  };
}

async function checkVersion({ cluster }: Reached): Promise<Outcome> {
  const { gitVersion } = (await cluster.get('/version')) as { readonly gitVersion: string };
  if (gitVersion.endsWith('+tutti')) return ok(`${cluster.server} answers as Kubernetes ${gitVersion}`);
  return warning(
    `${cluster.server} is no Tutti but Kubernetes ${gitVersion}`,
    'canaries, proxies and identities are not there: name the kubeconfig of a Tutti cluster with --kubeconfig',
  );
}

function checkCredentials({ cluster, nowMs }: Reached): Outcome {
  const { certificatePem } = cluster;
  if (certificatePem === undefined) return ok('accepted');
  return checkCertificate(
    'client certificate',
    certificatePem,
    nowMs,
    'the control plane writes a new kubeconfig at its start',
  );
}

/** Past the client's 2 s it is not answering. */
const DNS_TIMEOUT_MS = 2000;

async function checkDns({ dnsServer }: Reached): Promise<Outcome> {
  if (dnsServer === undefined) return skipped('no agent keeps its state here');
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 1 });
  resolver.setServers([dnsServer]);
  try {
    const [[version] = []] = await resolver.resolveTxt(`dns-version.${CLUSTER_DOMAIN}`);
    return ok(`${dnsServer} answers for ${CLUSTER_DOMAIN} (specification ${version})`);
  } catch (error) {
    return failed(
      `${dnsServer} does not answer: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`,
      'an agent answers there while "tutti up" or "tutti agent" runs; its log says more',
    );
  }
}

const PAGE = 500;

async function all<T extends KubeObject>({ client }: Cluster, kind: Kind<T>): Promise<readonly T[]> {
  const items: T[] = [];
  let next: string | undefined;
  do {
    const options: ListOptions = { limit: PAGE, ...(next === undefined ? {} : { continue: next }) };
    const page = await client.list(kind, options);
    items.push(...page.items);
    next = page.continue;
  } while (next !== undefined && next !== '');
  return items;
}
