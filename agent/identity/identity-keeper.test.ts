import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../api/meta/api-error.ts';
import { type CarriedIdentities, readCarried } from '../../api/trust/carried-identities.ts';
import { DAY_MS, makeCertificate, makeRoot } from '../../certs/test-support/test-pki.ts';
import { FakeClock } from '../../kit/fake-clock.ts';
import { silentLog } from '../../kit/log.ts';
import { type IdentityHolder, IdentityKeeper, type IdentityKeeperOptions } from './identity-keeper.ts';
import type { WorkloadIdentity } from './workload-identity.ts';

const NOW = Date.UTC(2030, 0, 1);
const root = makeRoot('tutti.local', NOW);
const chain = (uri: string) => makeCertificate({ name: 'x', issuer: root, nowMs: NOW, names: { uris: [uri] } });

/** As much of an identity as the keeper sees. */
class StandIn {
  isFailing = false;
  generation = 1;
  retries = 0;
  readonly certificate;
  constructor(account: string) {
    this.certificate = chain(`spiffe://tutti.local/ns/a/sa/${account}`);
  }
  get current() {
    return { certificateChainPem: this.certificate.pem, notAfterMs: NOW + DAY_MS };
  }
  retry(): Promise<void> {
    this.retries += 1;
    return Promise.resolve();
  }
}

function fixture(identities: readonly StandIn[], used: (at: number) => string | undefined) {
  const clock = new FakeClock(NOW);
  const asked: string[] = [];
  const told: CarriedIdentities[] = [];
  const state = { isAway: false };
  const serving = chain('spiffe://tutti.local/tutti/agent/node-1');
  const client = {
    request: (method: string, path: string) => {
      asked.push(`${method} ${path}`);
      return state.isAway ? Promise.reject(ApiError.unavailable('away')) : Promise.resolve({});
    },
    patch: (_kind: unknown, _ref: unknown, { metadata }: { metadata: { annotations: Record<string, string> } }) => {
      const carried = readCarried({ metadata: { name: 'node-1', ...metadata } as never });
      if (carried !== undefined) told.push(carried);
      return Promise.resolve({});
    },
  } as unknown as IdentityKeeperOptions['client'];
  const holders = identities.map(
    (identity, at): IdentityHolder => ({
      name: `pod/a/${at}`,
      identity: identity as unknown as WorkloadIdentity,
      usedSerial: () => Promise.resolve(used(at)),
    }),
  );
  const keeper = new IdentityKeeper({
    client,
    nodeName: 'node-1',
    holders: () => holders,
    generation: () => 1,
    servingPem: () => serving.pem,
    clock,
    log: silentLog(),
  });
  return { clock, asked, told, state, keeper };
}

test('identities that failed are tried again within half a second of the API server being back, by one question for all', async (t) => {
  const identities = Array.from({ length: 20 }, (_, at) => new StandIn(`s${at}`));
  const { clock, asked, state, keeper } = fixture(identities, () => undefined);
  t.after(() => keeper.close());
  state.isAway = true;
  for (const identity of identities) identity.isFailing = true;
  await clock.advance(10_000);
  assert.ok(asked.length > 10 && asked.length <= 45, `asked ${asked.length} times`);
  assert.deepEqual(
    identities.map(({ retries }) => retries),
    identities.map(() => 0),
  );
  state.isAway = false;
  await clock.advance(500);
  assert.ok(identities.every(({ retries }) => retries > 0));
});

test('a proxy carries a generation when it uses the certificate that was obtained under it, not before', async (t) => {
  const identity = new StandIn('web');
  let used = '';
  const { clock, told, keeper } = fixture([identity], () => used);
  t.after(() => keeper.close());
  await clock.advance(1000);
  assert.deepEqual(
    told.at(-1)?.identities.map(({ name, generation }) => [name, generation]),
    [['pod/a/0', 0]],
  );
  used = told.at(-1)?.identities[0]?.serial.toLowerCase() ?? '';
  await clock.advance(1000);
  assert.equal(told.at(-1)?.identities[0]?.generation, 1);
  const count = told.length;
  await clock.advance(20_000);
  assert.equal(told.length, count, 'what has not changed is not told again');
});
