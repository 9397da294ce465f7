import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { copyShop, killAll, type ShopCopy, TEST_FLAGS, TEST_NODE_FLAGS } from './shop.ts';
import { type Finished, type RunningTutti, startTutti, tutti } from './tutti-process.ts';

/** The shop with control plane and agent as processes of their own, so that each can be killed by itself. */
export interface SplitShop extends ShopCopy {
  readonly kubeconfig: string;
  control(): RunningTutti;
  /** How long certificates are valid. Each is renewed at half of that at the latest, and so has the other half left at any moment. */
  readonly svidSeconds: number;
  /** How long a control plane can be away before it is started again for those that need it soonest: how long it starts is not what is measured. */
  readonly awaySeconds: number;
  /** Starts a control plane in the place of the one that was killed. */
  restartControl(): Promise<void>;
  tutti(...args: string[]): Promise<Finished>;
  stop(): Promise<void>;
}

interface Plan {
  /** What certificates are valid for; longer where the machine takes so long to start a control plane that some would end meanwhile. */
  readonly svidSeconds: number;
  /** For how long a control plane must be able to be away. */
  readonly awaySeconds: number;
}

/** For all certificates to be renewed, once somebody is there to do it. */
const RENEWAL_SECONDS = 4;

export async function startSplitShop(plan: Plan): Promise<SplitShop> {
  const shop = await copyShop();
  const kubeconfig = join(shop.folder, '.tutti', 'kubeconfig');
  const at = { cwd: shop.folder };
  let { svidSeconds } = plan;
  const validFor = (): string[] => ['--svid-ttl', `${svidSeconds}s`];
  const startControl = async (): Promise<RunningTutti> => {
    const process = startTutti(['control', ...TEST_FLAGS, '--node-name', 'node-1', ...validFor()], at);
    await process.printed('kubeconfig:');
    return process;
  };
  const began = performance.now();
  let control = await startControl();
  // Another one may take as long, and on a machine with more to do twice that.
  const backSeconds = RENEWAL_SECONDS + (2 * (performance.now() - began)) / 1000;
  let awaySeconds = Math.floor(svidSeconds / 2 - backSeconds);
  if (awaySeconds < plan.awaySeconds) {
    awaySeconds = plan.awaySeconds;
    svidSeconds = 2 * Math.ceil(awaySeconds + 2 * backSeconds);
    control.signal('SIGTERM');
    await control.exited;
    control = await startControl();
  }
  const agent = startTutti(['agent', ...TEST_NODE_FLAGS, '--images', 'shop/images', ...validFor()], at);
  const command = (...args: string[]): Promise<Finished> => tutti(args, { ...at, env: { KUBECONFIG: kubeconfig } });
  const stop = async (): Promise<void> => {
    agent.signal('SIGTERM');
    control.signal('SIGTERM');
    await Promise.all([agent.exited, control.exited]);
    await killAll(shop.folder);
    await shop.remove();
  };
  try {
    await agent.printed('node node-1');
    const applied = await command('apply', '-f', 'shop');
    if (applied.code !== 0) throw new Error(applied.stderr);
    for (const name of ['frontend', 'catalog-v1', 'catalog-v2', 'cart', 'reviews']) {
      const rolled = await command('rollout', 'status', `deployment/${name}`, '--timeout', '90s');
      if (rolled.code !== 0) throw new Error(rolled.stdout + rolled.stderr);
    }
    await eventually(
      'the shop answers',
      async () => (await fetch(`${shop.url}/api/products`)).status === 200 || undefined,
    );
  } catch (error) {
    await stop();
    throw new Error(`the shop did not start:\n${control.stderr()}${agent.stderr()}`, { cause: error });
  }
  return {
    ...shop,
    kubeconfig,
    control: () => control,
    svidSeconds,
    awaySeconds,
    restartControl: async () => {
      control = await startControl();
    },
    tutti: command,
    stop,
  };
}
