import { join } from 'node:path';
import type { Pod } from '../../api/kinds/pod.ts';
import { INJECT } from '../../api/meta/well-known.ts';
import { TokenFile } from '../identity/token-file.ts';
import { ProxyProcess, type ProxyState } from './proxy-process.ts';
import { ADMIN_PORT, type ProxySettings, TOKEN_AUDIENCE, TOKEN_SECONDS } from './proxy-settings.ts';

export interface SidecarOptions {
  readonly pod: Pod;
  readonly podFolder: string;
  readonly podAddress: string;
  readonly settings: ProxySettings;
  readonly onChange: () => void;
}

/** Whether the pod gets a sidecar: all do but those that say no. */
export function wantsSidecar({ metadata }: Pod): boolean {
  return metadata.annotations?.[INJECT] !== 'false';
}

/** The proxy beside one pod, with the token that proves who it is. */
export class Sidecar {
  readonly #token: TokenFile;
  readonly #proxy: ProxyProcess;

  constructor({ pod, podFolder, podAddress, settings, onChange }: SidecarOptions) {
    const { command, env, api, xdsAddress, trustDomain, svidTtlSeconds, issue, clock, random, log } = settings;
    const { name, uid, namespace = '' } = pod.metadata;
    const serviceAccount = pod.spec.serviceAccountName ?? 'default';
    const folder = join(podFolder, 'sidecar');
    const tokenFile = join(folder, 'token');
    this.#token = new TokenFile({
      path: tokenFile,
      order: {
        namespace,
        serviceAccount,
        audience: TOKEN_AUDIENCE,
        expirationSeconds: TOKEN_SECONDS,
        boundTo: { kind: 'Pod', name, uid },
      },
      issue,
      clock,
      random,
      log,
    });
    this.#proxy = new ProxyProcess({
      folder,
      id: `${uid}/sidecar`,
      command,
      env,
      bootstrap: {
        mode: 'sidecar',
        nodeId: `sidecar/${namespace}/${name}`,
        namespace,
        name,
        serviceAccount,
        trustDomain,
        podAddress,
        api: { ...api, tokenFile },
        xdsAddress,
        admin: { address: podAddress, port: ADMIN_PORT },
        stateFolder: join(folder, 'state'),
        ...(svidTtlSeconds === undefined ? {} : { svidTtlSeconds }),
        logLevel: 'info',
      },
      clock,
      random,
      log,
      onChange,
    });
  }

  get state(): ProxyState {
    return this.#proxy.state;
  }

  get pid(): number | undefined {
    return this.#proxy.pid;
  }

  get logPath(): string | undefined {
    return this.#proxy.logPath;
  }

  get runId(): readonly string[] {
    return this.#proxy.runId;
  }

  /** Takes over a sidecar that an earlier agent left running; its token is renewed when it must be. */
  async adopt(): Promise<boolean> {
    return this.#proxy.adopt();
  }

  /** Throws when no token can be had; may be called again. */
  async start(): Promise<void> {
    await this.#token.start();
    await this.#proxy.start();
  }

  async drain(limitMs: number): Promise<void> {
    await this.#proxy.drain(limitMs);
  }

  async stop(graceMs: number): Promise<void> {
    await this.#token.close();
    await this.#proxy.stop(graceMs);
  }

  /** Lets go of it; it goes on. */
  async close(): Promise<void> {
    this.#proxy.close();
    await this.#token.close();
  }
}
