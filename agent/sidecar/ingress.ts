import { join } from 'node:path';
import { INGRESS_NAMESPACE, INGRESS_SERVICE_ACCOUNT } from '../../api/meta/well-known.ts';
import { backoffMs } from '../../kit/backoff.ts';
import { readTextIfPresent, writeFileAtomic } from '../../kit/disk.ts';
import { TokenFile } from '../identity/token-file.ts';
import type { PortPool } from '../node/port-pool.ts';
import { ProxyProcess, type ProxyState } from './proxy-process.ts';
import { type ProxySettings, TOKEN_AUDIENCE, TOKEN_SECONDS } from './proxy-settings.ts';

export interface IngressOptions {
  readonly folder: string;
  readonly nodeName: string;
  readonly nodeAddress: string;
  readonly settings: ProxySettings;
  readonly ports: PortPool;
  readonly onChange: (state: ProxyState) => void;
}

const RETRY = { baseMs: 200, maxMs: 5000, jitter: 0.3 };

/** The proxy at the edge of the mesh, on this node: it carries Gateways' listeners. Kept running as a sidecar is. */
export class Ingress {
  readonly #options: IngressOptions;
  readonly #abort = new AbortController();
  #token: TokenFile | undefined;
  #proxy: ProxyProcess | undefined;
  #starting: Promise<void> = Promise.resolve();

  constructor(options: IngressOptions) {
    this.#options = options;
  }

  get state(): ProxyState {
    return this.#proxy?.state ?? 'stopped';
  }

  get runId(): readonly string[] {
    return this.#proxy?.runId ?? [];
  }

  /** Adopts the ingress of an earlier agent; starts one where none runs, as soon as a token can be had. */
  async start(): Promise<void> {
    const { folder, settings } = this.#options;
    const port = await this.#adminPort();
    this.#token = this.#makeToken();
    this.#proxy = this.#makeProxy(port);
    if (await this.#proxy.adopt()) settings.log.debug({ folder }, 'ingress adopted');
    this.#starting = this.#keepStarting(this.#token, this.#proxy);
  }

  async drain(limitMs: number): Promise<void> {
    await this.#proxy?.drain(limitMs);
  }

  async stop(graceMs: number): Promise<void> {
    await this.#letGo();
    await this.#proxy?.stop(graceMs);
  }

  /** Lets go; it goes on. */
  async close(): Promise<void> {
    this.#proxy?.close();
    await this.#letGo();
  }

  async #letGo(): Promise<void> {
    this.#abort.abort(new Error('ingress is let go'));
    await this.#starting;
    await this.#token?.close();
  }

  async #keepStarting(token: TokenFile, proxy: ProxyProcess): Promise<void> {
    const { clock, random, log } = this.#options.settings;
    for (let failures = 0; !this.#abort.signal.aborted; failures++) {
      try {
        await token.start();
        if (!this.#abort.signal.aborted) await proxy.start();
        return;
      } catch (error) {
        if (failures === 0) log.warn({ error }, 'cannot start the ingress; trying again');
        await clock.sleep(backoffMs(failures, RETRY, random), this.#abort.signal).catch(() => undefined);
      }
    }
  }

  #makeToken(): TokenFile {
    const { folder, settings } = this.#options;
    const { issue, clock, random, log } = settings;
    const order = {
      namespace: INGRESS_NAMESPACE,
      serviceAccount: INGRESS_SERVICE_ACCOUNT,
      audience: TOKEN_AUDIENCE,
      expirationSeconds: TOKEN_SECONDS,
    };
    return new TokenFile({ path: join(folder, 'token'), order, issue, clock, random, log });
  }

  #makeProxy(port: number): ProxyProcess {
    const { folder, nodeName, nodeAddress, settings } = this.#options;
    const { command, env, api, xdsAddress, trustDomain, svidTtlSeconds, clock, random, log } = settings;
    const proxy: ProxyProcess = new ProxyProcess({
      folder,
      id: `ingress/${nodeName}/${folder}`,
      command,
      env,
      bootstrap: {
        mode: 'ingress',
        nodeId: `ingress/${INGRESS_NAMESPACE}/${nodeName}`,
        namespace: INGRESS_NAMESPACE,
        name: nodeName,
        serviceAccount: INGRESS_SERVICE_ACCOUNT,
        trustDomain,
        podAddress: '',
        api: { ...api, tokenFile: join(folder, 'token') },
        xdsAddress,
        admin: { address: nodeAddress, port },
        stateFolder: join(folder, 'state'),
        ...(svidTtlSeconds === undefined ? {} : { svidTtlSeconds }),
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
