// The promise of the whole: whatever happens to a replica, a version, the control plane or a certificate, the client
// that counts finds no request lost. Open-loop load, so that what was not answered cannot hide.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { watchHoldUps } from '../support/hold-ups.ts';
import { startLoad } from '../support/load.ts';
import { type SplitShop, startSplitShop } from '../support/split-shop.ts';
import { processesNaming } from '../support/tutti-process.ts';

const REQUESTS_PER_SECOND = 500;
/** On top of what it takes to start. */
const CONTROL_AWAY_SECONDS = 2;

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
    readonly status: {
      readonly podIP: string;
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
      readonly containerStatuses?: readonly {
        readonly restartCount: number;
        readonly state?: { readonly running?: { readonly startedAt: string } };
      }[];
    };
  }[];
}

let shop: SplitShop;

before(async () => {
  // Half of this is 20 s: certificates are renewed while the load of some test runs. Eight more seconds are for the load itself, which
  // the start that is measured has not had beside it.
  shop = await startSplitShop({ svidSeconds: 40, awaySeconds: CONTROL_AWAY_SECONDS + 8 });
});

after(async () => {
  await shop?.stop();
});

async function pods(app: string): Promise<PodList['items']> {
  const { stdout } = await shop.tutti('get', 'pods', '-l', `app=${app}`, '-o', 'json');
  return (JSON.parse(stdout) as PodList).items;
}

async function command(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await shop.tutti(...args);
  assert.equal(code, 0, `tutti ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

function isReady({ status }: PodList['items'][number]): boolean {
  return status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
}

/** The app's own process of a pod: the one whose command is its image's server. */
function appProcess(uid: string): number {
  const found = processesNaming(uid).find(
    ({ command: line }) => line.includes('server.ts') && !line.includes('/bin/sh') && !line.includes('cli/main.ts'),
  );
  assert.ok(found, `no process of pod ${uid}`);
  return found.pid;
}

/** Load around `act`, with a second of quiet load on either side; nothing may have failed. */
async function underLoad(act: () => Promise<void>): Promise<void> {
  const load = startLoad({ url: `${shop.url}/api/products`, requestsPerSecond: REQUESTS_PER_SECOND });
  let result: Awaited<ReturnType<typeof load.stop>>;
  try {
    await pause(1000);
    await act();
    await pause(1000);
  } finally {
    result = await load.stop();
  }
  assert.equal(result.failed, 0, `${result.failed} of ${result.sent} requests failed: ${result.detail}`);
  assert.ok(result.ok > REQUESTS_PER_SECOND, `only ${result.ok} requests were answered`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test("kill -9 of a replica's app loses no request, and the replica is Ready again within 3 s and its own start", async () => {
  const [victim] = await pods('catalog');
  assert.ok(victim);
  const restarts = victim.status.containerStatuses?.[0]?.restartCount ?? 0;
  await underLoad(async () => {
    const holdUps = watchHoldUps();
    process.kill(appProcess(victim.metadata.uid), 'SIGKILL');
    const killedAt = Date.now();
    const again = await eventually('the killed replica is Ready again', async () => {
      const pod = (await pods('catalog')).find(({ metadata }) => metadata.uid === victim.metadata.uid);
      const container = pod?.status.containerStatuses?.[0];
      const restarted = pod !== undefined && isReady(pod) && (container?.restartCount ?? 0) > restarts;
      return restarted ? container : undefined;
    });
    // How long the app takes to start is its own and the machine's affair; that it is started again is ours.
    const replacedMs = Date.parse(again.state?.running?.startedAt ?? '') - killedAt;
    holdUps.stop();
    // And so is how long it had no time for the agent.
    const limitMs = 3000 + 2 * holdUps.ms;
    assert.ok(replacedMs < limitMs, `started again after ${replacedMs} ms, wanted ${Math.round(limitMs)}`);
  });
});

test('a rolling restart loses no request', async () => {
  const before = new Set((await pods('catalog')).map(({ metadata }) => metadata.uid));
  await underLoad(async () => {
    await command('rollout', 'restart', 'deployment/catalog-v1');
    await command('rollout', 'status', 'deployment/catalog-v1', '--timeout', '90s');
    await eventually(
      'the old replicas are gone',
      async () => (await pods('catalog')).filter(({ metadata }) => before.has(metadata.uid)).length <= 1 || undefined,
    );
  });
});

test('a rolling restart of what the ingress calls loses no request', async () => {
  await underLoad(async () => {
    await command('rollout', 'restart', 'deployment/frontend');
    await command('rollout', 'status', 'deployment/frontend', '--timeout', '90s');
  });
});

test('scaling 2 to 6 to 2 loses no request', async () => {
  const count = async (): Promise<number> =>
    (await pods('catalog')).filter(({ metadata }) => metadata.name.startsWith('catalog-v1')).length;
  await underLoad(async () => {
    await command('scale', 'deployment/catalog-v1', '--replicas', '6', '--wait');
    await command('scale', 'deployment/catalog-v1', '--replicas', '2', '--wait');
    await eventually('the surplus replicas are gone', async () => (await count()) === 2 || undefined);
  });
});

test('a canary walk from 0 to 100 and back loses no request', async () => {
  await underLoad(async () => {
    await command('canary', 'catalog', '--steps', '5,25,50,100', '--every', '2s');
    await command('canary', 'catalog', '--abort', '--measure', '1s');
  });
});

test('kill -9 of the control plane and its restart lose no request and restart nothing', async () => {
  const picture = async (): Promise<string[]> =>
    (await Promise.all(['frontend', 'catalog', 'cart', 'reviews'].map(pods)))
      .flat()
      .map(({ metadata, status }) => `${metadata.uid} ${status.containerStatuses?.[0]?.restartCount}`)
      .sort();
  const before = await picture();
  const processes = before.map((line) => appProcess(line.split(' ')[0] ?? ''));
  await underLoad(async () => {
    shop.control().signal('SIGKILL');
    await shop.control().exited;
    await pause(CONTROL_AWAY_SECONDS * 1000);
    await shop.restartControl();
    await eventually('every proxy is back', async () => {
      const { items } = JSON.parse(await command('get', 'proxies', '-A', '-o', 'json')) as {
        items: { status: { connected: boolean } }[];
      };
      return (items.length >= 9 && items.every(({ status }) => status.connected)) || undefined;
    });
    await pause(2000);
  });
  assert.deepEqual(await picture(), before);
  assert.deepEqual(
    before.map((line) => appProcess(line.split(' ')[0] ?? '')),
    processes,
  );
});

/** How often each proxy has replaced its certificate, by the proxy's own count; and the ingress' through its admin port. */
async function rotations(): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const { metadata, status } of (await Promise.all(['frontend', 'catalog', 'cart', 'reviews'].map(pods))).flat()) {
    const metrics = await (await fetch(`http://${status.podIP}:15000/metrics`)).text();
    counts.set(metadata.name, Number(/^tutti_identity_rotations_total (\d+)$/m.exec(metrics)?.[1]));
  }
  return counts;
}

test('the rotation of every certificate loses no request', async () => {
  const before = await rotations();
  await underLoad(async () => {
    await eventually(
      'every proxy has a new certificate',
      async () => {
        const now = await rotations();
        return [...before].every(([name, count]) => (now.get(name) ?? 0) > count) || undefined;
      },
      // Some are renewed at half of their life, and what is asked meanwhile takes its time.
      (shop.svidSeconds / 2 + 70) * 1000,
    );
  });
});
