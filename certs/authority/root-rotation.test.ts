import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../kit/fake-clock.ts';
import { silentLog } from '../../kit/log.ts';
import { needs, program } from '../../test/support/programs.ts';
import { createKeyAndCsr } from '../workload/key-and-csr.ts';
import { readTrustBundle } from '../workload/trust-bundle.ts';
import { verifyPeer } from '../workload/verify-peer.ts';
import { fromPem } from '../x509/pem.ts';
import { type Authority, openAuthority } from './authority.ts';
import { RotationRefusedError } from './refusal.ts';
import { ROTATION_STEPS } from './root-rotation.ts';

const ID = 'spiffe://tutti.local/ns/shop/sa/catalog';
const clock = new FakeClock(Date.UTC(2030, 0, 1));

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-rotation-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

const open = (folder: string): Promise<Authority> =>
  openAuthority({ folder, trustDomain: 'tutti.local', clock, log: silentLog() });

const issue = (authority: Authority): string =>
  authority.issueSvid({ csrPem: createKeyAndCsr(ID).csrPem, spiffeId: ID }).certificateChainPem;

const accepts = (bundlePem: string, chainPem: string): boolean =>
  verifyPeer(chainPem, readTrustBundle(bundlePem), clock.now()).ok;

test(
  'at each stage whoever has the bundle of this stage or the one before accepts what is issued',
  needs('openssl'),
  async (t) => {
    const folder = await temporaryFolder(t);
    const authority = await open(join(folder, 'ca'));
    const bundles = [authority.trustBundlePem];
    const chains = [issue(authority)];
    const stages = [authority.stage];
    for (const step of ROTATION_STEPS) {
      await authority.rotateRoot(step);
      stages.push(authority.stage);
      bundles.push(authority.trustBundlePem);
      chains.push(issue(authority));
    }
    assert.deepEqual(stages, ['steady', 'distributing', 'overlap', 'steady']);
    const table = bundles.map((bundle) => chains.map((chain) => accepts(bundle, chain)));
    assert.deepEqual(table, [
      [true, true, false, false],
      [true, true, true, true],
      [true, true, true, true],
      [false, false, true, true],
    ]);
    for (const [at, bundle] of bundles.entries()) {
      for (const [of, chain] of chains.entries()) {
        await writeFile(join(folder, 'bundle.pem'), bundle);
        await writeFile(join(folder, 'leaf.pem'), chain);
        const args = [
          'verify',
          '-x509_strict',
          '-attime',
          String(clock.now() / 1000),
          '-CAfile',
          'bundle.pem',
          'leaf.pem',
        ];
        let accepted = true;
        try {
          execFileSync(program('openssl'), args, { cwd: folder, stdio: 'pipe' });
        } catch {
          accepted = false;
        }
        assert.equal(accepted, table[at]?.[of], `openssl on chain ${of} under bundle ${at}`);
      }
    }
    assert.equal(fromPem('CERTIFICATE', bundles[3] ?? '').length, 1);
  },
);

test('a step out of turn is refused, with the one whose turn it is', async (t) => {
  const authority = await open(await temporaryFolder(t));
  for (const right of ROTATION_STEPS) {
    for (const wrong of ROTATION_STEPS.filter((step) => step !== right)) {
      await assert.rejects(
        authority.rotateRoot(wrong),
        (error) => error instanceof RotationRefusedError && error.message.endsWith(`next is "${right}"`),
      );
    }
    await authority.rotateRoot(right);
  }
});

test('each stage is kept over a restart, and a crash at any point of a switch leaves a sound authority', async (t) => {
  const folder = await temporaryFolder(t);
  const live = join(folder, 'live');
  let authority = await open(live);
  for (const step of ROTATION_STEPS) {
    const before = join(folder, `before-${step}`);
    await cp(live, before, { recursive: true });
    await authority.rotateRoot(step);
    const { stage, trustBundlePem } = authority;
    authority = await open(live);
    assert.deepEqual([authority.stage, authority.trustBundlePem], [stage, trustBundlePem]);
    // Every mixture that atomic writes, in whatever order, can leave of the files before and after.
    const names = [...new Set([...(await readdir(before)), ...(await readdir(live))])];
    const read = (place: string, name: string): Promise<Buffer | undefined> =>
      readFile(join(place, name)).catch(() => undefined);
    if (step !== 'switch') continue;
    const order = ['previous.crt', 'ca.key', 'ca.crt', 'next.crt', 'next.key'];
    assert.deepEqual(names.sort(), [...order].sort());
    for (let done = 0; done <= order.length; done++) {
      const torn = join(folder, `torn-${done}`);
      await cp(before, torn, { recursive: true });
      for (const name of order.slice(0, done)) {
        const content = await read(live, name);
        if (content === undefined) await rm(join(torn, name));
        else await writeFile(join(torn, name), content);
      }
      const again = await open(torn);
      assert.equal(again.stage, done === 0 ? 'distributing' : 'overlap', `after ${done} of the switch's writes`);
      assert.ok(accepts(again.trustBundlePem, issue(again)));
    }
  }
});

test('a next root whose certificate a crash has kept from the disk is made anew', async (t) => {
  const folder = await temporaryFolder(t);
  const authority = await open(folder);
  await authority.rotateRoot('add');
  await rm(join(folder, 'next.crt'));
  const again = await open(folder);
  assert.equal(again.stage, 'steady');
  await again.rotateRoot('add');
  await again.rotateRoot('switch');
  assert.ok(accepts((await open(folder)).trustBundlePem, issue(again)));
});
