import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { openAuthority } from '../../certs/authority/authority.ts';
import { openTokenKey, writeCredentials } from '../credentials.ts';
import { openEncryption } from '../encryption/open-encryption.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../main.ts';
import { openKeptPorts } from '../ports.ts';
import { encryptionKeyFile } from '../state-folder.ts';
import { LEADER_LEASE } from '../store/lease.ts';
import { openRedisStore, type RedisStore } from '../store/redis/redis-store.ts';
import type { Store } from '../store/store.ts';
import { urlHost } from '../url-host.ts';
import { keepLeading, standBy } from './election.ts';
import { Forwarder, type Target } from './forwarder.ts';
import { type LeaderRecord, readLeader, writeLeader } from './leader-record.ts';
import { SharedAuthority } from './shared-authority.ts';

export interface SharedControlPlaneOptions extends ControlPlaneOptions {
  readonly storeUrl: string;
  /** What opens the cluster's keys in the store; `store.key` of the state folder unless told. */
  readonly storeKeyPath: string | undefined;
  /** Hears of each change, as words for people. */
  readonly onRole: (message: string) => void;
  /** Ends the start as well, which may have to wait for another's lease to run out. */
  readonly signal: AbortSignal;
}

const LOOK_MS = 250;
/** A start that takes longer says what it waits for. */
const SAY_AFTER_MS = 1000;
const SHARE_MS = 2000;

/**
 * One of several control planes that share a store. It stands by, forwarding its clients to the leader, until the leader's lease is its
 * own; then it serves itself until it loses the lease or is closed. Resolves when it does either. Rejects when the store or the cluster's
 * keys cannot be used; `ended` rejects when that happens later.
 */
export async function startSharedControlPlane(
  options: SharedControlPlaneOptions,
): Promise<ControlPlane & { readonly ended: Promise<void> }> {
  const { clock, log, stateFolder } = options;
  const store = await openRedisStore({
    url: options.storeUrl,
    clock,
    log: log.child({ component: 'store' }),
    markPath: join(stateFolder, 'store-mark.json'),
  });
  const member = new Member(options, store);
  try {
    const files = await member.start();
    return { ...files, ended: member.ended, close: () => member.close() };
  } catch (error) {
    await member.close();
    throw error;
  }
}

class Member {
  readonly #options: SharedControlPlaneOptions;
  readonly #store: RedisStore;
  readonly #holder = `${hostname()}_${process.pid}_${randomUUID()}`;
  readonly #authority: SharedAuthority;
  readonly #stopped = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  #leader: LeaderRecord | undefined;
  #apiPort = 0;
  #xdsPort = 0;
  ended: Promise<void> = Promise.resolve();

  constructor(options: SharedControlPlaneOptions, store: RedisStore) {
    const { stateFolder, storeKeyPath } = options;
    this.#options = options;
    this.#store = store;
    this.#authority = new SharedAuthority({ stateFolder, keyPath: storeKeyPath ?? join(stateFolder, 'store.key') });
  }

  get #server(): string {
    return `https://${urlHost(this.#options.advertiseAddress)}:${this.#apiPort}`;
  }

  async start(): Promise<Omit<ControlPlane, 'close'>> {
    const { stateFolder, apiPort, xdsPort, clock, signal, onRole } = this.#options;
    signal.addEventListener('abort', () => this.#ready.resolve(), { once: true });
    if (signal.aborted) this.#ready.resolve();
    const saying = clock.timer(SAY_AFTER_MS, () =>
      onRole("waiting for the leader's lease, or for a leader that serves"),
    );
    const ports = await openKeptPorts(stateFolder);
    this.#apiPort = ports.wanted('api', apiPort);
    this.#xdsPort = ports.wanted('xds', xdsPort);
    this.ended = this.#run();
    this.ended.catch((error: unknown) => this.#ready.reject(error));
    await this.#ready.promise.finally(() => saying.stop());
    return {
      server: this.#server,
      xdsAddress: `${urlHost(this.#options.advertiseAddress)}:${this.#xdsPort}`,
      kubeconfig: join(stateFolder, 'kubeconfig'),
      agentKubeconfig: join(stateFolder, 'agent.kubeconfig'),
    };
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.ended.catch(() => undefined);
    await this.#store.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const epoch = await this.#standBy();
      if (epoch !== undefined) await this.#lead(epoch);
    }
  }

  async #standBy(): Promise<number | undefined> {
    const { clock, log } = this.#options;
    const done = new AbortController();
    const signal = AbortSignal.any([this.#stopped.signal, done.signal]);
    await using stack = new AsyncDisposableStack();
    const forward = async (port: number, target: () => Target | undefined): Promise<number> => {
      const forwarder = await Forwarder.listen({ host: this.#options.bindAddress, port, target, clock });
      stack.defer(() => forwarder.close());
      return forwarder.port;
    };
    this.#leader = undefined;
    this.#apiPort = await forward(this.#apiPort, () => this.#leader?.api);
    this.#xdsPort = await forward(this.#xdsPort, () => this.#leader?.xds);
    const ports = await openKeptPorts(this.#options.stateFolder);
    await ports.keep('api', this.#apiPort);
    await ports.keep('xds', this.#xdsPort);
    const following = this.#follow(signal);
    stack.defer(async () => {
      done.abort();
      // Why it failed is told below.
      await following.catch(() => undefined);
    });
    const election = { leases: this.#store.leases, holder: this.#holder, clock, log, signal };
    return await Promise.race([standBy(election), following.then(() => undefined)]);
  }

  /** Knows who leads, and takes the cluster's keys, so that credentials for this address are there before it leads. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { clock, log, onRole } = this.#options;
    let told = '';
    while (!signal.aborted) {
      try {
        const leader = await readLeader(this.#store);
        // What it wrote itself, in an earlier life or before it lost the lease, leads to nobody.
        this.#leader = leader?.holder === this.#holder ? undefined : leader;
        if (leader !== undefined && leader.holder !== this.#holder && leader.holder !== told) {
          if (await this.#authority.take(this.#store)) {
            await this.#writeCredentials();
            onRole(`standing by; the control plane at https://${urlHost(leader.api.host)}:${leader.api.port} leads`);
            this.#ready.resolve();
            told = leader.holder;
          }
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!isPassing(error)) throw error;
        log.debug(`cannot look for the leader: ${(error as Error).message}`);
      }
      await clock.sleep(LOOK_MS, signal).catch(() => undefined);
    }
  }

  async #lead(epoch: number): Promise<void> {
    const { clock, log, onRole } = this.#options;
    const done = new AbortController();
    const signal = AbortSignal.any([this.#stopped.signal, done.signal]);
    const election = { leases: this.#store.leases, holder: this.#holder, clock, log, signal };
    const lost = keepLeading(election, epoch);
    try {
      const store = await this.#store.fencedBy(epoch);
      // The first leader makes the cluster's keys, and has given them before anybody gets a certificate of them.
      if (!(await this.#authority.take(store))) await this.#makeKeys(store);
      await this.#authority.give(store);
      const control = await startControlPlane({
        ...this.#options,
        store,
        apiPort: this.#apiPort,
        xdsPort: this.#xdsPort,
      });
      try {
        await this.#authority.give(store);
        const at = (port: number): Target => ({ host: this.#options.advertiseAddress, port });
        await writeLeader(store, { holder: this.#holder, epoch, api: at(this.#apiPort), xds: at(this.#xdsPort) });
        onRole(`leading (epoch ${epoch})`);
        this.#ready.resolve();
        const sharing = this.#keepSharing(store, signal);
        const why = await lost;
        if (why !== undefined) onRole(`no longer leading: ${why}`);
        done.abort();
        await sharing;
      } finally {
        await control.close();
      }
    } catch (error) {
      // Another has taken over before this one was up: it stands by again.
      if (!isPassing(error)) throw error;
      log.warn(`cannot lead: ${(error as Error).message}`);
    } finally {
      done.abort();
      await this.#store.leases.release(LEADER_LEASE, this.#holder).catch(() => undefined);
    }
  }

  /** The CA may be rotated while it leads: the others must have it when they do. */
  async #keepSharing(store: Store, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(SHARE_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.#authority.give(store).catch((error: unknown) => {
        if (!signal.aborted) log.warn(`cannot share the certificate authority: ${(error as Error).message}`);
      });
    }
  }

  async #makeKeys(store: Store): Promise<void> {
    const { stateFolder, encryptionKey, log } = this.#options;
    await this.#writeCredentials();
    await openEncryption({ store, ...encryptionKeyFile(stateFolder, encryptionKey), log });
  }

  async #writeCredentials(): Promise<void> {
    const { stateFolder, trustDomain, clock, log, node } = this.#options;
    const folder = join(stateFolder, 'ca');
    const authority = await openAuthority({ folder, trustDomain, clock, log: log.child({ component: 'certs' }) });
    await openTokenKey(folder);
    await writeCredentials(stateFolder, this.#server, authority, node);
  }
}

const PASSING = ['NotLeaderError', 'OutcomeUnknownError', 'StoreUnreachableError'];

function isPassing(error: unknown): boolean {
  return error instanceof Error && PASSING.includes(error.name);
}
