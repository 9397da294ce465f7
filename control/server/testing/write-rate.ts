import { performance } from 'node:perf_hooks';
import { deploymentKind } from '../../../api/kinds/deployment.ts';
import { podKind } from '../../../api/kinds/pod.ts';
import { deploymentDraft, podDraft } from './drafts.ts';
import { verbBench } from './verb-bench.ts';

/* How many writes a second the verbs do over a store in memory. Run it by hand: `node control/server/testing/write-rate.ts`. */

const COUNT = 3000;

async function rate(name: string, work: (index: number) => Promise<unknown>): Promise<void> {
  const from = performance.now();
  const { user } = process.cpuUsage();
  for (let index = 0; index < COUNT; index++) await work(index);
  const seconds = (performance.now() - from) / 1000;
  const cpu = (process.cpuUsage().user - user) / COUNT;
  process.stdout.write(`${name}: ${Math.round(COUNT / seconds)}/s, ${Math.round(cpu)} µs CPU each\n`);
}

const { client } = await verbBench();
for (const round of ['warm', 'measured']) {
  process.stdout.write(`${round}\n`);
  await rate('pod creates', (index) => client.create(podKind, podDraft(`${round}-${index}`)));
  await rate('pod status updates', async (index) => {
    const pod = await client.get(podKind, { namespace: 'default', name: `${round}-${index}` });
    await client.updateStatus(podKind, { ...pod, status: { ...pod.status, phase: 'Running', podIP: '127.64.0.9' } });
  });
  await rate('deployment creates', (index) => client.create(deploymentKind, deploymentDraft(`${round}-${index}`)));
  await rate('deployment updates', async (index) => {
    const found = await client.get(deploymentKind, { namespace: 'default', name: `${round}-${index}` });
    await client.update(deploymentKind, { ...found, spec: { ...found.spec, replicas: 7 } });
  });
}
