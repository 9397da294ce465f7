import type { Proxy } from '../../../api/kinds/proxy.ts';
import { proxyKind } from '../../../api/kinds/proxy.ts';
import { FakeClock } from '../../../kit/fake-clock.ts';
import { seededRandom } from '../../../kit/random.ts';
import { openMemoryStore } from '../../store/memory/memory-store.ts';
import type { Store } from '../../store/store.ts';
import { Admission } from '../admission/admission.ts';
import { Allocator } from '../admission/allocator.ts';
import { CONTROL_PLANE, type User } from '../authn/user.ts';
import { makeFirstObjects } from '../first-objects.ts';
import { LocalClient } from '../local-client.ts';
import { LiveKinds, liveKind } from '../verbs/live-kinds.ts';
import { StoredObjects } from '../verbs/stored-objects.ts';
import { plainValues, type ValueCodec } from '../verbs/value-codec.ts';
import type { VerbContext, WriteRequest } from '../verbs/verb-context.ts';

export interface VerbBench {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly verbs: VerbContext;
  readonly client: LocalClient;
}

export interface VerbBenchOptions {
  readonly store?: Store;
  readonly values?: ValueCodec;
  readonly proxies?: readonly Proxy[];
}

/** The verbs over a store in memory, on a clock that stands still, without HTTP. */
export async function verbBench(options: VerbBenchOptions = {}): Promise<VerbBench> {
  const clock = new FakeClock();
  const store = options.store ?? openMemoryStore({ clock });
  const objects = new StoredObjects(store, options.values ?? plainValues);
  const live = new LiveKinds([liveKind(proxyKind, async () => options.proxies ?? [])]);
  const admission = new Admission({ allocator: new Allocator(objects, seededRandom(7)) });
  const verbs = { objects, live, admission, clock };
  const client = new LocalClient(verbs);
  await makeFirstObjects(client);
  return { clock, store, verbs, client };
}

/** A write by this user that is strict; what it warns of is collected. */
export function writeAs(user: User = CONTROL_PLANE): WriteRequest & { readonly warnings: string[] } {
  const warnings: string[] = [];
  return {
    user,
    dryRun: false,
    fieldValidation: 'Strict',
    fieldManager: 'test',
    warn: (text) => void warnings.push(text),
    warnings,
  };
}
