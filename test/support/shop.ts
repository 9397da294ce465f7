import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { type Finished, processesNaming, type RunningTutti, startTutti, tutti } from './tutti-process.ts';

const shopFolder = join(import.meta.dirname, '..', '..', 'examples', 'shop');

/** The demo shop's manifests and images in a folder of their own, its Gateway on a port that is free. */
export interface ShopCopy {
  readonly folder: string;
  readonly manifests: string;
  readonly port: number;
  readonly url: string;
  /** Edits one manifest. */
  edit(file: string, change: (text: string) => string): Promise<void>;
  remove(): Promise<void>;
}

export async function copyShop(): Promise<ShopCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-shop-'));
  const manifests = join(folder, 'shop');
  await cp(shopFolder, manifests, { recursive: true });
  const port = await freePort();
  const edit = async (file: string, change: (text: string) => string): Promise<void> => {
    const path = join(manifests, file);
    await writeFile(path, change(await readFile(path, 'utf8')));
  };
  for (const file of (await readdir(manifests, { recursive: true })).filter((name) => name.endsWith('.yaml'))) {
    // A machine that does other things takes more than a second to answer now and then, and that is no app that is not ready.
    await edit(file, (text) => text.replace(/^( +)periodSeconds: \d+$/gm, '$&\n$1timeoutSeconds: 10'));
    // Only the Gateway's listener is on the machine; every other 8080 is a container's own.
    await edit(file, (text) => text.replace(/(kind: Gateway\n[\s\S]*?port: )8080/, `$1${port}`));
  }
  return {
    folder,
    manifests,
    port,
    url: `http://127.0.0.1:${port}`,
    edit,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Ports that the system chooses, and a log that says what went wrong. */
export const TEST_FLAGS = ['--api-port', '0', '--xds-port', '0'] as const;
export const TEST_NODE_FLAGS = ['--dns-port', '0', '--node-name', 'node-1'] as const;

export interface RunningShop extends ShopCopy {
  readonly up: RunningTutti;
  readonly kubeconfig: string;
  /** A `tutti` command against this shop. */
  tutti(...args: string[]): Promise<Finished>;
  /** Ctrl-C, and all of it gone. */
  stop(): Promise<void>;
}

/** `tutti up -f shop` until the shop answers. `flags` are added to the command. */
export async function startShop(flags: readonly string[] = [], copied?: ShopCopy): Promise<RunningShop> {
  const shop = copied ?? (await copyShop());
  const up = startTutti(['up', '-f', 'shop', ...TEST_FLAGS, ...TEST_NODE_FLAGS, ...flags], { cwd: shop.folder });
  const kubeconfig = join(shop.folder, '.tutti', 'kubeconfig');
  const stop = async (): Promise<void> => {
    up.signal('SIGINT');
    await up.exited;
    await killAll(shop.folder);
    await shop.remove();
  };
  try {
    await up.printed('Try next:');
    await eventually('the shop answers', async () => (await fetch(`${shop.url}/`)).status === 200 || undefined);
  } catch (error) {
    await stop();
    throw new Error(`the shop did not start:\n${up.stdout()}${up.stderr()}`, { cause: error });
  }
  return {
    ...shop,
    up,
    kubeconfig,
    tutti: (...args) => tutti(args, { cwd: shop.folder, env: { KUBECONFIG: kubeconfig } }),
    stop,
  };
}

/** Ends what a failed test may have left, by pid. A test that passes leaves nothing and asserts it. */
export async function killAll(folder: string): Promise<void> {
  for (const { pid } of processesNaming(folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone meanwhile.
    }
  }
  await eventually('all processes of the folder are gone', () => processesNaming(folder).length === 0 || undefined);
}
