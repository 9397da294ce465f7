import { join } from 'node:path';
import { controlSpiffeId } from '../api/meta/well-known.ts';
import type { Clock } from '../kit/clock.ts';
import type { Logger } from '../kit/log.ts';
import type { Random } from '../kit/random.ts';
import type { Bootstrap } from './bootstrap/bootstrap.ts';
import { CompiledCode } from './compiled-code.ts';
import type { Plane } from './engine.ts';
import type { IdentityHolder } from './identity-holder.ts';
import { ownVersion } from './own-version.ts';
import { AdsClient } from './xds/ads-client.ts';
import { LastGoodKeeper } from './xds/last-good-keeper.ts';

export interface Shared {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What a proxy's process is made of beside its identity and its engine; nothing of it has begun yet. */
export interface Parts {
  readonly lastGood: LastGoodKeeper;
  readonly code: CompiledCode;
  readonly ads: AdsClient;
}

/** The engine may come later: what the control plane says is read until then. */
export function assemble(
  bootstrap: Bootstrap,
  source: Pick<IdentityHolder, 'current'>,
  engine: Promise<Plane>,
  shared: Shared,
): Parts {
  const { trustDomain, namespace, nodeId, stateFolder } = bootstrap;
  const { clock, random, log } = shared;
  const lastGood = new LastGoodKeeper(join(stateFolder, 'last-good.json'), clock, log);
  const code = new CompiledCode(clock);
  const ads = new AdsClient({
    address: bootstrap.xdsAddress,
    node: { id: nodeId, cluster: namespace, userAgentName: 'tutti', userAgentVersion: ownVersion() },
    variant: bootstrap.xdsVariant,
    controlSpiffeId: controlSpiffeId(trustDomain),
    identity: () => source.current(),
    engine: {
      apply: async (tables) => (await engine).apply(tables),
      figures: async () => (await engine).figures(),
    },
    clock,
    random,
    log,
    restore: () => lastGood.read(),
    onGood: (raw) => {
      lastGood.keep(raw);
      code.works();
    },
  });
  return { lastGood, code, ads };
}
