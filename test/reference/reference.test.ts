import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestApiServer, type TestApiServer } from '../support/api-server.ts';
import { CASES } from './cases.ts';
import { describeDifference, findDifferences } from './find-differences.ts';
import { Explained, readKnownDifferences } from './known-differences.ts';
import { readRecorded } from './recorded.ts';
import { type ReferenceServer, referenceServer } from './server.ts';

let api: TestApiServer;
let server: ReferenceServer;
const explained = new Explained(readKnownDifferences());

before(async () => {
  api = await startTestApiServer();
  server = referenceServer(api.server, {
    ca: api.authority.trustBundlePem,
    cert: api.admin.certificateChainPem,
    key: api.admin.privateKeyPem,
  });
});

after(async () => {
  await server.dispatcher.close();
  await api.close();
});

const SHOWN = 25;

for (const [group, cases] of Object.entries(CASES)) {
  const recorded = readRecorded(group);
  for (const each of cases) {
    test(`${group}: ${each.name} is answered as Kubernetes ${recorded.kubernetes} answers it`, async () => {
      const all = await findDifferences(server, each, recorded.cases[each.name]);
      const found = all.filter((difference) => explained.reasonFor(each.name, difference) === undefined);
      const lines = found.slice(0, SHOWN).map((difference) => describeDifference(each, difference));
      assert.equal(found.length, 0, `${found.length} differences:\n${lines.join('\n')}`);
    });
  }
}

test('every listed difference is still one, in as many answers as the list says', () => {
  assert.deepEqual(explained.unmet(), [], 'these no longer differ: take them off the list');
  const counts = (list: ReturnType<typeof readKnownDifferences>): object =>
    Object.fromEntries(list.map(({ why, answers }) => [why, answers]));
  assert.deepEqual(
    counts(explained.counted()),
    counts(readKnownDifferences()),
    'look at what has changed with "node test/reference/differences.ts", then let it count with --count',
  );
});
