import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestApiServer, type TestApiServer } from '../support/api-server.ts';
import type { Case } from './case.ts';
import { CASES } from './cases.ts';
import { byName, type Difference, differences } from './compare.ts';
import { allListed, listedPlaces } from './known-differences.ts';
import { normalize } from './normalize.ts';
import { withoutOwnAdditions } from './own-additions.ts';
import { perform } from './perform.ts';
import { digest, type RecordedCase, readRecorded } from './recorded.ts';
import { type ReferenceServer, referenceServer } from './server.ts';

let api: TestApiServer;
let server: ReferenceServer;
const met = new Set<string>();

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

for (const [group, cases] of Object.entries(CASES)) {
  const recorded = readRecorded(group);
  for (const each of cases) {
    test(`${group}: ${each.name} is answered as Kubernetes ${recorded.kubernetes} answers it`, async () => {
      const found = await unlisted(each, recorded.cases[each.name]);
      assert.equal(found.length, 0, report(each, found));
    });
  }
}

test('every listed difference is still one', () => {
  const gone = allListed().filter((where) => !met.has(where));
  assert.deepEqual(gone, [], 'these no longer differ: take them off the list');
});

/** How our answers differ from the recorded ones, but for what is listed. */
async function unlisted(each: Case, recorded: RecordedCase | undefined): Promise<readonly Difference[]> {
  assert.equal(recorded?.calls, digest(each), 'the calls have changed: run "node test/reference/record.ts"');
  const answers = normalize(each, withoutOwnAdditions(await perform(server, each)), Date.now());
  // As JSON has it: what is undefined is not there.
  const ours: unknown = JSON.parse(JSON.stringify(answers));
  const read = each.name.startsWith('discovery-')
    ? (all: unknown) => (all as readonly unknown[]).map(byName)
    : (all: unknown) => all;
  return differences(read(recorded?.answers), read(ours)).filter(({ at }) => {
    const listed = listedPlaces(each.name, at);
    for (const where of listed) met.add(where);
    return listed.length === 0;
  });
}

const SHOWN = 25;

function report({ calls }: Case, found: readonly Difference[]): string {
  const lines = found.slice(0, SHOWN).map(({ at, reference, ours }) => {
    const call = calls[Number(at.split('.')[0])];
    const asked = call === undefined ? '' : `${call.method} ${call.path} ${shortened(call.body)}`;
    return `${at}\n  asked ${asked}\n  kube  ${shortened(reference)}\n  tutti ${shortened(ours)}`;
  });
  return `${found.length} differences:\n${lines.join('\n')}`;
}

function shortened(value: unknown): string {
  const text = value === undefined ? '(not there)' : typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
