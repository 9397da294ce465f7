import type { HttpRoute } from '../../api/kinds/http-route.ts';
import { httpRouteKind } from '../../api/kinds/http-route.ts';
import { CONVERGED } from '../../api/meta/well-known.ts';
import type { Cluster, CommandContext } from '../cluster/context.ts';
import { lookAgain } from '../cluster/look-again.ts';
import { CommandError } from '../output/exit-codes.ts';
import { type BackendCount, decideStep, type ErrorLimit, type MeasuredShare, measureShares } from './decide.ts';
import { type Reading, readCounts } from './proxies.ts';
import { type CanaryPlan, withWeight } from './route.ts';

/** One route whose weights are being moved, and the plan by which. */
export interface Canary {
  readonly cluster: Cluster;
  readonly context: CommandContext;
  readonly namespace: string;
  readonly route: string;
  readonly plan: CanaryPlan;
  readonly timeoutMs: number;
  /** Told of each thing that happens, for people. */
  readonly say: (message: string) => void;
}

export interface Convergence {
  readonly message: string;
  readonly tookMs: number;
}

// How often a condition or the counts are looked at; the proxies report load once a second.
const POLL_MS = 100;
const SAMPLE_MS = 1000;
/** A proxy that has not reported for so long does not report at all: an Envoy without LRS. */
const LATE_LIMIT_MS = 10_000;

/** Writes the weight and waits until every proxy that carries the route has ACKed it. */
export async function setWeight(canary: Canary, weight: number): Promise<Convergence> {
  const { cluster, context, namespace, route: name } = canary;
  const ref = { namespace, name };
  const started = context.clock.monotonic();
  const look = lookAgain({ context, untilMs: started + canary.timeoutMs, isKnown: true });
  // Of a write whose answer was lost nobody knows whether it is done; the same weight once more changes nothing.
  const written = await look(async () => {
    const stored = await cluster.client.get(httpRouteKind, ref);
    const patch = {
      metadata: { resourceVersion: stored.metadata.resourceVersion },
      spec: { rules: withWeight(stored, canary.plan, weight) },
    };
    return await cluster.client.patch(httpRouteKind, ref, patch, { type: 'merge', fieldManager: 'tutti-canary' });
  });
  let told = '';
  for (;;) {
    const route = await look(() => cluster.client.get(httpRouteKind, ref));
    const state = convergenceOf(route, written.metadata.generation ?? 0);
    if (state.done) return { message: state.message, tookMs: context.clock.monotonic() - started };
    if (state.message !== told && state.message !== '') canary.say(state.message);
    told = state.message;
    if (context.clock.monotonic() - started > canary.timeoutMs) {
      throw new CommandError(
        `weight ${weight} of "${canary.plan.canary}": not carried by every proxy after ${canary.timeoutMs / 1000} s: ${state.message}`,
        {
          exit: 'timeout',
          hint: 'see "tutti get proxies" for who has not taken it',
        },
      );
    }
    await context.clock.sleep(POLL_MS);
  }
}

function convergenceOf(route: HttpRoute, generation: number): { readonly done: boolean; readonly message: string } {
  const conditions = (route.status?.parents ?? []).map(({ conditions: all }) =>
    all?.find(({ type }) => type === CONVERGED),
  );
  const current = conditions.filter((condition) => (condition?.observedGeneration ?? 0) >= generation);
  const message = current.map((condition) => condition?.message ?? '').join('; ');
  return {
    done:
      conditions.length > 0 &&
      current.length === conditions.length &&
      current.every((condition) => condition?.status === 'True'),
    message,
  };
}

/**
 * Waits `forMs` and tells the shares that the proxies counted meanwhile. Ends early on Ctrl-C. Begins when every proxy has
 * reported since it took the weight: what is reported first was counted before.
 */
export async function measure(canary: Canary, weight: number, forMs: number): Promise<MeasuredShare[]> {
  const before = await settledCounts(canary);
  await sleepUnlessAborted(canary, forMs);
  // One report more, so that the last second is counted as well.
  await sleepUnlessAborted(canary, SAMPLE_MS);
  return measureShares(weightsOf(canary.plan, weight), before.counts, (await countsOf(canary)).counts);
}

async function settledCounts(canary: Canary): Promise<Reading> {
  const { clock, signal } = canary.context;
  const untilMs = clock.monotonic() + LATE_LIMIT_MS;
  // gRPC's own clients report on streams of their own, of which nobody knows what they are about: they have had the time for one.
  await sleepUnlessAborted(canary, SAMPLE_MS);
  for (;;) {
    const reading = await countsOf(canary);
    if (reading.late.length === 0 || signal.aborted) return reading;
    if (clock.monotonic() >= untilMs) {
      sayLate(canary, reading);
      return reading;
    }
    await sleepUnlessAborted(canary, POLL_MS);
  }
}

function sayLate({ say }: Canary, { late }: Reading): void {
  say(`no report since the weight was taken, so requests of before may be counted: ${late.join(', ')}`);
}

export interface WalkOptions {
  readonly steps: readonly number[];
  readonly everyMs: number;
  readonly limit: ErrorLimit;
  /** The weight is carried; what follows is watched. */
  readonly onWeight: (weight: number, convergence: Convergence) => void;
  readonly onStep: (weight: number, shares: readonly MeasuredShare[], convergence: Convergence) => void;
}

export type WalkEnd =
  | { readonly kind: 'arrived'; readonly weight: number }
  | { readonly kind: 'aborted'; readonly weight: number; readonly reason: string }
  | { readonly kind: 'interrupted'; readonly weight: number };

/** Walks the steps; goes back to 0 by itself when the new version fails too often. */
export async function walk(canary: Canary, options: WalkOptions): Promise<WalkEnd> {
  let reached = canary.plan.present;
  for (const weight of options.steps) {
    const convergence = await setWeight(canary, weight);
    reached = weight;
    options.onWeight(weight, convergence);
    const end = await watchStep(canary, weight, options, convergence);
    if (end !== undefined) return end;
    if (canary.context.signal.aborted) return { kind: 'interrupted', weight: reached };
  }
  return { kind: 'arrived', weight: reached };
}

async function watchStep(
  canary: Canary,
  weight: number,
  options: WalkOptions,
  convergence: Convergence,
): Promise<WalkEnd | undefined> {
  const { clock, signal } = canary.context;
  const started = clock.monotonic();
  const weights = weightsOf(canary.plan, weight);
  const before = await countsOf(canary);
  let settled: Reading | undefined;
  for (;;) {
    await sleepUnlessAborted(canary, Math.min(SAMPLE_MS, options.everyMs));
    if (signal.aborted) return undefined;
    const now = await countsOf(canary);
    const count: BackendCount = measureShares(weights, before.counts, now.counts).find(
      ({ service }) => service === canary.plan.canary,
    ) ?? { service: canary.plan.canary, requests: 0, errors: 0 };
    const elapsedMs = clock.monotonic() - started;
    const decision = decideStep({ canary: count, elapsedMs, everyMs: options.everyMs, limit: options.limit });
    // The first reports still tell of the step before: no error in them may be missed, but the shares begin after them.
    if (decision.kind === 'wait') {
      if (now.late.length === 0) settled ??= now;
      continue;
    }
    if (settled === undefined && now.late.length > 0) sayLate(canary, now);
    options.onStep(weight, measureShares(weights, (settled ?? before).counts, now.counts), convergence);
    if (decision.kind === 'next') return undefined;
    canary.say(`going back: ${decision.reason}`);
    await setWeight(canary, 0);
    return { kind: 'aborted', weight: 0, reason: decision.reason };
  }
}

/** Asked for as long as the proxies are waited for. */
async function countsOf({ cluster, context, namespace, timeoutMs }: Canary): ReturnType<typeof readCounts> {
  const look = lookAgain({ context, untilMs: context.clock.monotonic() + timeoutMs, isKnown: true });
  return await look(() => readCounts(cluster, namespace));
}

function weightsOf(plan: CanaryPlan, weight: number): Map<string, number> {
  return new Map([
    [plan.stable, 100 - weight],
    [plan.canary, weight],
  ]);
}

async function sleepUnlessAborted(canary: Canary, ms: number): Promise<void> {
  const { clock, signal } = canary.context;
  if (signal.aborted) return;
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
