import { join } from 'node:path';
import { openAuthority } from '../certs/authority/authority.ts';
import type { Clock } from '../kit/clock.ts';
import type { Logger } from '../kit/log.ts';
import type { Random } from '../kit/random.ts';
import { publishClusterInfo } from './cluster-info.ts';
import { startControllers } from './controllers/run-all.ts';
import { type OwnNode, openTokenKey, writeCredentials } from './credentials.ts';
import { openEncryption } from './encryption/open-encryption.ts';
import { authorityCredentials, nodeSignerOf, ownIdentity, signerOf } from './identity.ts';
import { openKeptPorts } from './ports.ts';
import { startScheduler } from './scheduler/run.ts';
import { startApiServer } from './server/api-server.ts';
import { serviceAccountKeys } from './server/authn/service-account-keys.ts';
import { encryptionKeyFile, STORE_FILE } from './state-folder.ts';
import { runCompaction } from './store/compaction.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';
import { type ServicedStore, storeService } from './store-service.ts';
import { TrustKeeper } from './trust/trust-keeper.ts';
import { urlHost } from './url-host.ts';
import { startXds, type Xds } from './xds/run.ts';

export interface ControlPlaneOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly stateFolder: string;
  /** The file of the keys for Secrets; `encryption.key` of the state folder, made when missing, unless told. */
  readonly encryptionKey?: string | undefined;
  /** Another store than the one under the state folder; whoever opened it closes it. */
  readonly store?: Store;
  /** 0 for the one of the last run, or the system's choice. */
  readonly apiPort: number;
  readonly xdsPort: number;
  /** Where API server and xDS server listen: `127.0.0.1`, `0.0.0.0`. */
  readonly bindAddress: string;
  /** Address or host name at which agents and people reach them; certificates name it. */
  readonly advertiseAddress: string;
  /** Further names that its certificate has: those of other control planes, which forward to it. */
  readonly tlsNames: readonly string[];
  readonly trustDomain: string;
  /** Of the control plane's own certificate; workloads ask for their own. */
  readonly svidTtlSeconds: number;
  /** Whose agent finds its credentials in the state folder. */
  readonly node: OwnNode;
}

export interface ControlPlane {
  /** `https://127.0.0.1:6443` */
  readonly server: string;
  /** `127.0.0.1:6444` */
  readonly xdsAddress: string;
  /** Paths of the administrator's and of the agent's kubeconfig. */
  readonly kubeconfig: string;
  readonly agentKubeconfig: string;
  close(): Promise<void>;
}

/**
 * The control plane of one process: store, authority, API server, controllers, scheduler, xDS server, in the order in which
 * they need each other. What has started is closed again when something after it fails.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { clock, random, log, stateFolder, trustDomain, bindAddress, advertiseAddress } = options;
  const started = new AsyncDisposableStack();
  try {
    const ports = await openKeptPorts(stateFolder);
    const { store, file } = await openStore(options, started);
    const encryption = await openEncryption({
      store,
      ...encryptionKeyFile(stateFolder, options.encryptionKey),
      wipe: file === undefined ? undefined : () => file.maintenance.rewrite(),
      log: log.child({ component: 'store' }),
    });
    const ended = new AbortController();
    const compaction = runCompaction({ store, clock, log: log.child({ component: 'store' }), signal: ended.signal });
    started.defer(async () => {
      ended.abort();
      await compaction;
    });

    const caFolder = join(stateFolder, 'ca');
    const authority = await openAuthority({
      folder: caFolder,
      trustDomain,
      clock,
      log: log.child({ component: 'certs' }),
    });
    const identity = ownIdentity(authority, options);
    started.defer(() => identity.close());
    await identity.start();

    const servingAddresses = [advertiseAddress, options.node.address, ...options.tlsNames];
    let current = authorityCredentials(authority, servingAddresses);
    // The API server is asked for proxies only after it has started, and by then xDS has too.
    let xds: Xds | undefined;
    const api = await startApiServer({
      store,
      clock,
      random,
      log: log.child({ component: 'api' }),
      address: bindAddress,
      port: ports.wanted('api', options.apiPort),
      trustDomain,
      tls: current.tls,
      agentCredentials: () => current.agentCredentials(),
      serviceAccountKeys: serviceAccountKeys(await openTokenKey(caFolder)),
      signSvid: signerOf(authority),
      values: encryption.values,
      storeService: storeService({ store, ...(file === undefined ? {} : { file }), encryption }),
      signNode: nodeSignerOf(authority),
      listProxies: () => xds?.listProxies() ?? [],
      metrics: () => xds?.metrics.text() ?? Promise.resolve(''),
    });
    started.defer(() => api.close());
    await ports.keep('api', api.port);

    const parts = { client: api.client, clock, random };
    const controllers = startControllers({ ...parts, log: log.child({ component: 'controllers' }) });
    started.defer(() => controllers.close());
    const { informers, recorder } = controllers;
    const scheduler = startScheduler({ ...parts, log: log.child({ component: 'scheduler' }), informers, recorder });
    started.defer(() => scheduler.close());
    xds = await startXds({
      ...parts,
      log: log.child({ component: 'xds' }),
      address: bindAddress,
      port: ports.wanted('xds', options.xdsPort),
      identity,
      trustDomain,
    });
    const { port: xdsPort } = xds;
    started.adopt(xds, (running) => running.close());
    await ports.keep('xds', xdsPort);

    const host = urlHost(advertiseAddress);
    const server = `https://${host}:${api.port}`;
    const xdsAddress = `${host}:${xdsPort}`;
    const publish = (): Promise<void> =>
      publishClusterInfo(api.client, { server, caPem: authority.trustBundlePem, xdsAddress, trustDomain });
    const write = () => writeCredentials(stateFolder, server, authority, options.node);
    await publish();
    const credentials = await write();
    const trust = await TrustKeeper.start({
      ...parts,
      authority,
      ownChainPem: () => identity.current().certificateChainPem,
      reissue: async () => {
        current = authorityCredentials(authority, servingAddresses);
        api.setTls(current.tls);
        await identity.rotateNow();
        await write();
        await publish();
      },
      log: log.child({ component: 'trust' }),
    });
    started.defer(() => trust.close());
    const running = started.move();
    return { server, xdsAddress, ...credentials, close: () => running.disposeAsync() };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

/** The store that was given, or the file of the state folder. */
async function openStore(
  { store: given, stateFolder, clock, log }: ControlPlaneOptions,
  started: AsyncDisposableStack,
): Promise<Pick<ServicedStore, 'store' | 'file'>> {
  if (given !== undefined) return { store: given };
  const path = join(stateFolder, STORE_FILE);
  const store = await openSqliteStore({ path, clock, log: log.child({ component: 'store' }) });
  started.defer(() => store.close());
  return { store, file: { path, maintenance: store.maintenance } };
}
