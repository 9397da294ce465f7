import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { copyShop, killAll, type ShopCopy, TEST_FLAGS, TEST_NODE_FLAGS } from './shop.ts';
import { type Finished, type RunningTutti, startTutti, tutti } from './tutti-process.ts';

/** The shop with control plane and agent as processes of their own, so that each can be killed by itself. */
export interface SplitShop extends ShopCopy {
  readonly kubeconfig: string;
  control(): RunningTutti;
  /** What the first start of the control plane took: as long as another may take on this machine. */
  readonly controlStartMs: number;
  /** Starts a control plane in the place of the one that was killed. */
  restartControl(): Promise<void>;
  tutti(...args: string[]): Promise<Finished>;
  stop(): Promise<void>;
}

export async function startSplitShop(flags: readonly string[] = []): Promise<SplitShop> {
  const shop = await copyShop();
  const kubeconfig = join(shop.folder, '.tutti', 'kubeconfig');
  const at = { cwd: shop.folder };
  const startControl = async (): Promise<RunningTutti> => {
    const process = startTutti(['control', ...TEST_FLAGS, '--node-name', 'node-1', ...flags], at);
    await process.printed('kubeconfig:');
    return process;
  };
  const began = performance.now();
  let control = await startControl();
  const controlStartMs = performance.now() - began;
  const agent = startTutti(['agent', ...TEST_NODE_FLAGS, '--images', 'shop/images', ...flags], at);
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
    controlStartMs,
    restartControl: async () => {
      control = await startControl();
    },
    tutti: command,
    stop,
  };
}
