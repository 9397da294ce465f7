import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { type Backoff, backoffMs } from '../../kit/backoff.ts';
import type { Clock, Timer } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import type { NodeInput } from '../../xds/messages.js';
import { openChannel } from '../channel/channel.ts';
import type { ApplyProblem, Plane } from '../engine.ts';
import { Configuration, type RawResources } from './configuration.ts';
import { type Conversation, type Delivery, type Dialect, dialectOf, type Variant } from './conversation.ts';
import { LoadReporter, type LoadSource } from './load-reporter.ts';
import { RESOURCE_KINDS, type ResourceKind } from './resource-kind.ts';
import type { Refusal } from './resource-store.ts';

export interface AdsClientOptions {
  /** `127.0.0.1:6444`, or several with commas between: control planes that share a store. */
  readonly address: string;
  readonly node: NodeInput;
  /** State-of-the-world unless told: what a server of any kind speaks. */
  readonly variant?: Variant;
  /** Who the control plane must be. */
  readonly controlSpiffeId: string;
  /** Asked at each connection. */
  readonly identity: () => MeshIdentity;
  readonly engine: Pick<Plane, 'apply'> & LoadSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The configuration that last worked, if one was kept. */
  readonly restore: () => Promise<RawResources | undefined>;
  /** Called when a newer one works; the caller writes it down at its leisure. */
  readonly onGood: (raw: RawResources) => void;
}

/** What the admin endpoint shows of the control plane. */
export interface AdsStatus {
  readonly connected: boolean;
  readonly streams: number;
  /** Whether the running configuration is the one kept from an earlier run. */
  readonly restored: boolean;
  readonly refused: readonly string[];
}

// Within two seconds of a restart every proxy is back, not all at once.
const RECONNECT: Backoff = { baseMs: 100, maxMs: 2000, jitter: 0.5 };
// A stream that lived so long was no failure.
const STABLE_MS = 5000;
const KEEPALIVE = { everyMs: 10_000, timeoutMs: 5000 };
/** The control plane answers within this, or the kept configuration goes live. */
const RESTORE_AFTER_MS = 1000;
// A port that is in use may become free.
const RETRY_APPLY_MS = 2000;
// One response a type is outstanding by protocol; a server that sends more waits in its own buffers.
const MAX_QUEUED = 16;

/**
 * The ADS client: keeps a stream to the control plane, turns what comes into tables, and answers for each response once the
 * engine works by it. Ends with `close`.
 */
export class AdsClient {
  readonly #options: AdsClientOptions;
  readonly #configuration = new Configuration();
  readonly #dialect: Dialect;
  readonly #reporter: LoadReporter;
  readonly #abort = new AbortController();
  #stream: Conversation | undefined = undefined;
  #streams = 0;
  #connected = false;
  #away = false;
  #restored = false;
  #applied = false;
  #tables: unknown = undefined;
  #problems: readonly ApplyProblem[] = [];
  #refusals = new Map<ResourceKind, readonly Refusal[]>();
  #work: Promise<void> = Promise.resolve();
  #queued = 0;
  #wake: Timer | undefined = undefined;
  #loop: Promise<void> = Promise.resolve();
  #isLast = false;

  constructor(options: AdsClientOptions) {
    this.#options = options;
    const { node, engine, clock } = options;
    this.#dialect = dialectOf(options.variant ?? 'sotw', node);
    this.#reporter = new LoadReporter({ engine, clock, node });
  }

  start(): void {
    this.#loop = this.#run();
    const timer = this.#options.clock.timer(RESTORE_AFTER_MS, () => this.#enqueue(() => this.#restore()));
    this.#abort.signal.addEventListener('abort', () => timer.stop(), { once: true });
  }

  /** Another process speaks for this node now: the stream that there is stays, but none comes after it. */
  lastStream(): void {
    this.#isLast = true;
  }

  status(): AdsStatus {
    return {
      connected: this.#connected,
      streams: this.#streams,
      restored: this.#restored,
      refused: RESOURCE_KINDS.flatMap((kind) => this.#refusedWords(kind)),
    };
  }

  /** Tells the last of the load, then ends the stream. The engine keeps what it has. */
  async close(): Promise<void> {
    await this.#reporter.report();
    this.#abort.abort();
    this.#wake?.stop();
    this.#reporter.stop();
    this.#stream?.cancel();
    await this.#loop;
    await this.#work;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    const addresses = this.#options.address.split(',').map((address) => address.trim());
    let failures = 0;
    // The next each time: whichever control plane answers leads, or leads on to the one that does.
    for (let turn = 0; !this.#abort.signal.aborted; turn++) {
      const began = clock.monotonic();
      await this.#converse(addresses[turn % addresses.length] as string);
      if (this.#abort.signal.aborted || this.#isLast) return;
      this.#enqueue(() => this.#restore());
      failures = clock.monotonic() - began >= STABLE_MS ? 0 : failures + 1;
      const delayMs = backoffMs(Math.max(0, failures - 1), RECONNECT, random);
      await clock.sleep(delayMs, this.#abort.signal).catch(() => {});
    }
  }

  /** One stream, from its connection to its end. */
  async #converse(address: string): Promise<void> {
    const { identity, controlSpiffeId, clock, log } = this.#options;
    const mesh = { identity: identity(), serverSpiffeId: controlSpiffeId };
    const channel = openChannel({ address, mesh, keepalive: KEEPALIVE, clock });
    try {
      const stream = this.#dialect.open(channel);
      this.#stream = stream;
      const ended = Promise.withResolvers<Error | undefined>();
      stream.onDelivery((delivery, received) => {
        if (!this.#connected) {
          this.#connected = true;
          this.#away = false;
          this.#streams += 1;
          log.info(`connected to the control plane at ${address}`);
          this.#reporter.start(channel);
        }
        if (++this.#queued >= MAX_QUEUED) stream.pause();
        this.#enqueue(async () => {
          if (--this.#queued < MAX_QUEUED) stream.resume();
          if (this.#stream !== stream || delivery === undefined) return;
          received();
          await this.#respond(delivery);
        });
      });
      stream.onEnd((error) => ended.resolve(error));
      const error = await ended.promise;
      if (!this.#abort.signal.aborted) this.#logEnd(address, error);
    } finally {
      this.#connected = false;
      this.#stream = undefined;
      this.#reporter.stop();
      channel.close();
    }
  }

  /** Once for each time that it goes away, not for each try to reach it again. */
  #logEnd(address: string, error: Error | undefined): void {
    const { log } = this.#options;
    const level = this.#connected || !this.#away ? 'warn' : 'debug';
    this.#away = true;
    log[level]({ error }, `control plane at ${address} is away; going on with what there is`);
  }

  async #respond(delivery: Delivery): Promise<void> {
    const { kind, resources } = delivery;
    this.#restored = false;
    this.#refusals.set(kind, this.#configuration.accept(kind, resources, delivery));
    this.#want();
    await this.#advance();
  }

  #want(): void {
    for (const named of ['endpoints', 'route'] as const) {
      const names = this.#configuration.wanted(named);
      if (this.#stream === undefined) this.#dialect.remember(named, names);
      else this.#stream.want(named, names);
    }
  }

  /** Puts to work what is ready, and answers what has been put to work. */
  async #advance(): Promise<void> {
    const { clock, engine } = this.#options;
    this.#wake?.stop();
    const { tables, warming, wakeAtMs } = this.#configuration.assemble(clock.monotonic());
    // The first tables tell the engine what it must have bound to be ready: they are given whole.
    const whole = this.#applied || (this.#configuration.begun && warming.size === 0);
    if (whole && (tables !== this.#tables || this.#problems.length > 0)) {
      this.#problems = await engine.apply(tables);
      this.#applied = true;
      this.#tables = tables;
    }
    for (const kind of RESOURCE_KINDS) this.#answer(kind, whole, warming);
    if (this.#applied && warming.size === 0 && this.#isGood()) this.#options.onGood(this.#configuration.raw());
    this.#planWake(wakeAtMs);
  }

  #answer(kind: ResourceKind, applied: boolean, warming: ReadonlySet<ResourceKind>): void {
    const { log } = this.#options;
    const refused = this.#refusedWords(kind);
    const open = this.#dialect.isOpen(kind);
    if (refused.length > 0) {
      if (!open) return;
      log.warn({ type: kind }, `refused: ${refused.join('; ')}`);
      this.#stream?.nack(kind, refused.join('; '));
      return;
    }
    const foundation = kind === 'cluster' || kind === 'endpoints';
    // Listeners and routes are ACKed when they are live; what they stand on must be ACKed for them to come.
    if (!foundation && (!applied || warming.has(kind))) return;
    if (!open && !this.#dialect.wasRefused(kind)) return;
    if (kind === 'route') this.#reporter.routed();
    this.#stream?.ack(kind);
  }

  #refusedWords(kind: ResourceKind): readonly string[] {
    const problems = this.#problems.filter(({ resource }) => PROBLEM_KIND[resource] === kind);
    return [...(this.#refusals.get(kind) ?? []), ...problems].map(
      ({ name, message }) => `${kind} "${name}": ${message}`,
    );
  }

  #isGood(): boolean {
    return RESOURCE_KINDS.every((kind) => this.#refusedWords(kind).length === 0);
  }

  #planWake(wakeAtMs: number | undefined): void {
    const { clock } = this.#options;
    const now = clock.monotonic();
    const retryAtMs = this.#problems.length > 0 ? now + RETRY_APPLY_MS : undefined;
    const times = [wakeAtMs, retryAtMs].filter((time) => time !== undefined);
    if (times.length === 0 || this.#abort.signal.aborted) return;
    this.#wake = clock.timer(Math.max(0, Math.min(...times) - now), () => this.#enqueue(() => this.#advance()));
  }

  /** Starts from the kept configuration, unless there is one already. */
  async #restore(): Promise<void> {
    if (this.#applied || this.#configuration.begun) return;
    const raw = await this.#options.restore();
    if (raw === undefined || raw.listener.length === 0) return;
    this.#options.log.warn('the control plane does not answer: starting from the configuration of the last run');
    this.#restored = true;
    this.#configuration.restore(raw);
    for (const kind of RESOURCE_KINDS) this.#dialect.held(kind, this.#configuration.names(kind));
    this.#want();
    // A stream that began without them would never say what of them is gone.
    if (this.#options.variant === 'delta') this.#stream?.cancel();
    await this.#advance();
  }

  /** One thing at a time: a response is worked off before the next is looked at. */
  #enqueue(work: () => Promise<void>): void {
    if (this.#abort.signal.aborted) return;
    const before = this.#work;
    const run = async (): Promise<void> => {
      await before;
      if (!this.#abort.signal.aborted) await work();
    };
    this.#work = run().catch((error: unknown) => this.#options.log.error({ error }, 'xDS: unexpected failure'));
  }
}

const PROBLEM_KIND: Readonly<Record<ApplyProblem['resource'], ResourceKind>> = {
  listener: 'listener',
  'route-table': 'route',
  cluster: 'cluster',
};
