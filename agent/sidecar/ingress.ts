import { join } from 'node:path';
import { INGRESS_NAMESPACE, INGRESS_SERVICE_ACCOUNT } from '../../api/meta/well-known.ts';
import { backoffMs } from '../../kit/backoff.ts';
import { readTextIfPresent, writeFileAtomic } from '../../kit/disk.ts';
import { ingressIdentity } from '../identity/identities.ts';
import type { WorkloadIdentity } from '../identity/workload-identity.ts';
import type { PortPool } from '../node/port-pool.ts';
import { identityFields } from './bootstrap.ts';
import { ProxyProcess, type ProxyState } from './proxy-process.ts';
import type { ProxySettings } from './proxy-settings.ts';
import { RestartRefused } from './restart-refused.ts';
import { tracingFields } from './tracing.ts';

export interface IngressOptions {
  readonly folder: string;
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly settings: ProxySettings;
  /** Threads that carry traffic. */
  readonly workers: number;
  readonly ports: PortPool;
  readonly onChange: (state: ProxyState) => void;
}

const RETRY = { baseMs: 200, maxMs: 5000, jitter: 0.3 };

/** The proxy at the edge of the mesh, on this node: it carries Gateways' listeners. Kept running as a sidecar is. */
export class Ingress {
  readonly identity: WorkloadIdentity;
  readonly #options: IngressOptions;
  readonly #abort = new AbortController();
  #proxy: ProxyProcess | undefined;
  #starting: Promise<void> = Promise.resolve();

  constructor(options: IngressOptions) {
    this.#options = options;
    this.identity = ingressIdentity(options.folder, options.settings);
  }

  get state(): ProxyState {
    return this.#proxy?.state ?? 'stopped';
  }

  get pid(): number | undefined {
    return this.#proxy?.pid;
  }

  async usedSerial(signal: AbortSignal): Promise<string | undefined> {
    return this.#proxy?.usedSerial(signal);
  }

  get runId(): readonly string[] {
    return this.#proxy?.runId ?? [];
  }

  /** Adopts the ingress of an earlier agent; starts one where none runs, as soon as a token can be had. */
  async start(): Promise<void> {
    const { folder, settings } = this.#options;
    const port = await this.#adminPort();
    this.#proxy = this.#makeProxy(port);
    if (await this.#proxy.adopt()) settings.log.debug({ folder }, 'ingress adopted');
    this.#starting = this.#keepStarting(this.#proxy);
  }

  /** Hot restart; see ProxyProcess. */
  async restart(limitMs: number): Promise<void> {
    if (this.#proxy === undefined) throw new RestartRefused('the ingress does not run; it is being started');
    await this.#proxy.restart(limitMs);
  }

  async drain(limitMs: number): Promise<void> {
    await this.#proxy?.drain(limitMs);
  }

  async stop(graceMs: number): Promise<void> {
    await this.#letGo();
    await this.#proxy?.stop(graceMs);
    await this.identity.close();
  }

  /** Lets go; it goes on. */
  async close(): Promise<void> {
    this.#proxy?.close();
    await this.#letGo();
    await this.identity.close();
  }

  async #letGo(): Promise<void> {
    this.#abort.abort(new Error('ingress is let go'));
    await this.#starting;
  }

  async #keepStarting(proxy: ProxyProcess): Promise<void> {
    const { clock, random, log } = this.#options.settings;
    for (let failures = 0; !this.#abort.signal.aborted; failures++) {
      try {
        await this.identity.start();
        if (!this.#abort.signal.aborted) await proxy.start();
        return;
      } catch (error) {
        if (failures === 0) log.warn({ error }, 'cannot start the ingress; trying again');
        await clock.sleep(backoffMs(failures, RETRY, random), this.#abort.signal).catch(() => undefined);
      }
    }
  }

  #makeProxy(port: number): ProxyProcess {
    const { folder, nodeName, nodeAddress, settings, workers } = this.#options;
    const { command, program, env, xdsAddress, trustDomain, clock, random, log } = settings;
    const proxy: ProxyProcess = new ProxyProcess({
      folder,
      id: `ingress/${nodeName}/${folder}`,
      command,
      program,
      env,
      bootstrap: {
        mode: 'ingress',
        nodeId: `ingress/${INGRESS_NAMESPACE}/${nodeName}`,
        namespace: INGRESS_NAMESPACE,
        name: nodeName,
        serviceAccount: INGRESS_SERVICE_ACCOUNT,
        trustDomain,
        podAddress: '',
        ...identityFields(settings, this.identity),
        xdsAddress,
        admin: { address: nodeAddress, port },
        stateFolder: join(folder, 'state'),
        ...tracingFields(settings, 'ingress'),
        workers,
        logLevel: 'info',
      },
      clock,
      random,
      log,
      onChange: () => this.#options.onChange(proxy.state),
    });
    return proxy;
  }

  /** The same port for the ingress's whole life: it is asked there after an adoption. */
  async #adminPort(): Promise<number> {
    const { folder, ports } = this.#options;
    const path = join(folder, 'admin-port');
    const kept = Number(await readTextIfPresent(path));
    if (kept > 0) {
      ports.keep(kept);
      return kept;
    }
    const port = await ports.take();
    await writeFileAtomic(path, `${port}\n`);
    return port;
  }
}
