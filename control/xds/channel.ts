import type { Resource, ResourceKind, ResourceMap } from './resource.ts';
import { differenceOf } from './resource-difference.ts';

export type RequestOutcome = 'first' | 'stale' | 'ack' | 'nack' | 'subscription';

/** What is to go out for one type. */
export interface Outgoing {
  readonly version: string;
  readonly resources: readonly Resource[];
  /** Names that are no more; only the incremental protocol has words for them. */
  readonly removed: readonly string[];
}

/** Of these a proxy may take all there is, and in state-of-the-world a response holds all that it is to have. */
export const FULL_STATE: ReadonlySet<ResourceKind> = new Set(['cluster', 'listener']);

const NOTHING: readonly Resource[] = [];

/**
 * One type on one stream: its own subscription, nonce and version (xds_protocol.rst). Knows what the proxy has been told
 * and what it said to it; decides nothing about other types. How requests are read and responses are made is the
 * protocol's: `sotw-channel.ts`, `delta-channel.ts`.
 */
export abstract class Channel {
  readonly kind: ResourceKind;
  /** Undefined before the first request. */
  protected names: Set<string> | undefined = undefined;
  /** Version by name. */
  protected readonly told = new Map<string, string>();
  /** Names to be answered even if nothing of them changed. */
  protected readonly owed = new Set<string>();
  /** Something must be said even if there is nothing to say. */
  protected answerDue = false;
  protected flight: Outgoing = { version: '', resources: [], removed: [] };
  #flightMap: ResourceMap | undefined = undefined;
  /** A target of which everything that is wanted has been told: of a later one only what differs is to be looked at. */
  #toldAllOf: ResourceMap | undefined = undefined;
  /** Names that were told since then: of these a later target may have what that one had. */
  readonly #toldSince = new Set<string>();
  /** What was found when a target was looked at last, and at which revision of what was told: asked several times in a turn. */
  #looked:
    | { readonly target: ResourceMap; readonly revision: number; readonly changed: readonly Resource[] }
    | undefined;
  /** A target that has all that was told. */
  #within: ResourceMap | undefined = undefined;

  wildcard = false;
  nonce = '';
  awaiting = false;
  sentVersion: string | undefined = undefined;
  ackedVersion: string | undefined = undefined;
  /** The proxy's words about the newest response, when it refused it. */
  error: string | undefined = undefined;
  /** Grow when what was told, or what is wanted, may be other than before. */
  toldRevision = 0;
  wantedRevision = 0;

  constructor(kind: ResourceKind) {
    this.kind = kind;
  }

  /** What the proxy has said yes to. */
  abstract readonly acked: ResourceMap;
  /** What is to be said now, if anything. Undefined while a response waits for its answer. */
  abstract outgoing(target: ResourceMap, changes: 'with-changes' | 'owed-only'): Outgoing | undefined;
  /** Takes away what the target has not, once nothing points to it any more. */
  abstract withoutSurplus(target: ResourceMap): Outgoing | undefined;
  protected abstract accept(): void;

  get subscribed(): boolean {
    return this.names !== undefined;
  }

  /** What is on its way or was refused: the proxy may act on it. */
  get uncertain(): ResourceMap {
    if (!this.awaiting && this.error === undefined) return NONE;
    this.#flightMap ??= new Map(this.flight.resources.map((resource) => [resource.name, resource]));
    return this.#flightMap;
  }

  toldVersion(name: string): string | undefined {
    return this.told.get(name);
  }

  toldNames(): Iterable<string> {
    return this.told.keys();
  }

  wants(name: string): boolean {
    return this.wildcard || this.names?.has(name) === true;
  }

  /** Names that the proxy asked for and has not said yes to. */
  unanswered(): readonly string[] {
    return [...(this.names ?? [])].filter((name) => !this.acked.has(name));
  }

  /** Whether the target differs from what the proxy has been told. What is only to go does not count. */
  behind(target: ResourceMap): boolean {
    return this.subscribed && this.changed(target).length > 0;
  }

  /** Whether an answer waits that no order holds back. */
  get owes(): boolean {
    return this.answerDue || this.owed.size > 0;
  }

  /** Whether a name is to be answered that is in the newest set alone. */
  owesBeyond(target: ResourceMap, newest: ResourceMap): boolean {
    if (target === newest || this.owed.size === 0) return false;
    return [...this.owed].some((name) => !target.has(name) && newest.has(name));
  }

  /** Whether the proxy was told of something that the target has not. */
  surplus(target: ResourceMap): boolean {
    if (!this.subscribed || target === this.#within) return false;
    const gone = this.#within === undefined ? [...this.told.keys()] : differenceOf(this.#within, target).gone;
    if (gone.some((name) => this.told.has(name) && !target.has(name))) return true;
    this.#within = target;
    return false;
  }

  /** Notes that a response went out. */
  sent(outgoing: Outgoing, nonce: string): void {
    this.nonce = nonce;
    this.awaiting = true;
    this.error = undefined;
    this.sentVersion = outgoing.version;
    this.answerDue = false;
    this.flight = outgoing;
    this.#flightMap = undefined;
    const { resources, removed } = outgoing;
    const looked = this.#looked;
    // All that was found to be news is told now: there is nothing to look for in that target any more.
    const whole = looked?.revision === this.toldRevision && looked.changed === resources ? looked.target : undefined;
    for (const { name, version } of resources) {
      this.told.set(name, version);
      if (whole === undefined) this.#toldSince.add(name);
      this.owed.delete(name);
      if (this.#within?.has(name) === false) this.#within = undefined;
    }
    for (const name of removed) {
      this.told.delete(name);
      this.owed.delete(name);
    }
    this.toldRevision += 1;
    if (whole === undefined) return;
    this.#toldAllOf = whole;
    this.#toldSince.clear();
    this.#looked = { target: whole, revision: this.toldRevision, changed: NOTHING };
  }

  /** Says a name again at the next chance: Envoy does not use a changed cluster before it has heard its endpoints anew. */
  repeat(name: string): void {
    if (this.told.delete(name)) this.#toldAllOf = undefined;
    this.toldRevision += 1;
  }

  /** What of the target is wanted and not told yet. */
  protected changed(target: ResourceMap): readonly Resource[] {
    const looked = this.#looked;
    if (looked?.target === target && looked.revision === this.toldRevision) return looked.changed;
    const changed = this.#look(target);
    this.#looked = { target, revision: this.toldRevision, changed };
    return changed;
  }

  #look(target: ResourceMap): readonly Resource[] {
    if (target === this.#toldAllOf && this.#toldSince.size === 0) return NOTHING;
    const candidates = this.#candidates(target);
    const isNews = ({ name, version }: Resource): boolean => this.told.get(name) !== version && this.wants(name);
    // Most often all of them are: then the list stays the one that all proxies have.
    const changed = candidates.every(isNews) ? candidates : candidates.filter(isNews);
    if (changed.length === 0) {
      this.#toldAllOf = target;
      this.#toldSince.clear();
    }
    return changed;
  }

  /** Reads an answer: the proxy's to the newest response, or to none. */
  protected answer(nonce: string, error: string | undefined): RequestOutcome {
    if (nonce !== this.nonce || nonce === '') return nonce === '' ? 'subscription' : 'stale';
    if (error !== undefined) {
      this.awaiting = false;
      this.error = error;
      return 'nack';
    }
    if (!this.awaiting && this.error === undefined) return 'subscription';
    this.awaiting = false;
    this.error = undefined;
    this.ackedVersion = this.sentVersion;
    this.accept();
    return 'ack';
  }

  /** The proxy wants other names than before. What it no longer asks for, it no longer has. */
  protected resubscribed(): void {
    for (const name of this.told.keys()) if (!this.wants(name)) this.told.delete(name);
    for (const name of this.owed) if (!this.wants(name)) this.owed.delete(name);
    this.#toldAllOf = undefined;
    this.#within = undefined;
    this.toldRevision += 1;
    this.wantedRevision += 1;
  }

  #candidates(target: ResourceMap): readonly Resource[] {
    if (this.#toldAllOf !== undefined) {
      const { changed } = differenceOf(this.#toldAllOf, target);
      if (this.#toldSince.size === 0) return changed;
      const again = [...this.#toldSince].flatMap((name) => target.get(name) ?? []);
      return again.every((resource) => changed.includes(resource)) ? changed : [...new Set([...changed, ...again])];
    }
    return this.wildcard ? [...target.values()] : [...(this.names ?? [])].flatMap((name) => target.get(name) ?? []);
  }
}

const NONE: ResourceMap = new Map();
