import { type Resource, type ResourceKind, type ResourceMap, resourceMap, versionOf } from './resource.ts';

export type RequestOutcome = 'first' | 'stale' | 'ack' | 'nack' | 'subscription';

/** What is to go out for one type. */
export interface Outgoing {
  readonly version: string;
  readonly resources: readonly Resource[];
}

/** Of these a response holds all that the proxy is to have, and what is missing is gone; of the others, any part. */
const FULL_STATE: ReadonlySet<ResourceKind> = new Set(['cluster', 'listener']);

/**
 * One type on one stream: its own subscription, nonce and version (xds_protocol.rst). Knows what the proxy has been told
 * and what it said to it; decides nothing about other types.
 */
export class Channel {
  readonly kind: ResourceKind;
  /** Undefined before the first request. */
  #names: ReadonlySet<string> | undefined = undefined;
  #wildcard = false;
  /** Once a name was given, an empty list means none; before, it means all. */
  #named = false;
  #told = new Map<string, Resource>();
  #acked: ResourceMap = new Map();
  /** The resources of the newest response. */
  #flight: ResourceMap = new Map();
  /** Names to be answered even if nothing of them changed. */
  readonly #owed = new Set<string>();
  #answerDue = false;

  nonce = '';
  awaiting = false;
  sentVersion: string | undefined = undefined;
  ackedVersion: string | undefined = undefined;
  /** The proxy's words about the newest response, when it refused it. */
  error: string | undefined = undefined;

  constructor(kind: ResourceKind) {
    this.kind = kind;
  }

  get subscribed(): boolean {
    return this.#names !== undefined;
  }

  get wildcard(): boolean {
    return this.#wildcard;
  }

  /** What the proxy has said yes to. */
  get acked(): ResourceMap {
    return this.#acked;
  }

  /** What is on its way or was refused: the proxy may act on it. */
  get uncertain(): ResourceMap {
    return this.awaiting || this.error !== undefined ? this.#flight : new Map();
  }

  get told(): ResourceMap {
    return this.#told;
  }

  wants(name: string): boolean {
    return this.#wildcard || this.#names?.has(name) === true;
  }

  /** Names that the proxy asked for and has not said yes to. */
  unanswered(): readonly string[] {
    return [...(this.#names ?? [])].filter((name) => !this.#acked.has(name));
  }

  request(names: readonly string[], nonce: string, error: string | undefined): RequestOutcome {
    const first = this.#names === undefined;
    // A nonce does not outlive its stream (osm#3252). What a stale request asks for still counts: not to look at it can
    // starve a proxy (envoy#10363); it is no answer to the newest response.
    const current = first || nonce === this.nonce;
    this.#subscribe(names);
    if (first) return 'first';
    if (!current) return 'stale';
    if (error !== undefined) {
      this.awaiting = false;
      this.error = error;
      return 'nack';
    }
    if (!this.awaiting && this.error === undefined) return 'subscription';
    this.awaiting = false;
    this.error = undefined;
    this.ackedVersion = this.sentVersion;
    this.#acked = FULL_STATE.has(this.kind) ? this.#flight : new Map([...this.#acked, ...this.#flight]);
    this.#forget();
    return 'ack';
  }

  /** Whether the target differs from what the proxy has been told. Clusters that are only to go do not count. */
  behind(target: ResourceMap): boolean {
    return this.subscribed && this.#changed(target).length > 0;
  }

  /** Has something that the target has not: only of full-state types does a proxy hear of that from us. */
  surplus(target: ResourceMap): boolean {
    return FULL_STATE.has(this.kind) && [...this.#told.keys()].some((name) => !target.has(name));
  }

  /**
   * What is to be said now, if anything: answers that are owed, and with `changes` what has changed. Undefined while a
   * response waits for its answer.
   */
  outgoing(target: ResourceMap, changes: 'with-changes' | 'owed-only'): Outgoing | undefined {
    if (!this.subscribed || this.awaiting) return undefined;
    const owed = [...this.#owed].flatMap((name) => target.get(name) ?? []);
    const changed = changes === 'with-changes' ? this.#changed(target) : [];
    if (FULL_STATE.has(this.kind)) {
      const removed = this.kind === 'listener' && changes === 'with-changes' && this.surplus(target);
      if (!this.#answerDue && owed.length === 0 && changed.length === 0 && !removed) return undefined;
      return this.#whole(target);
    }
    const resources = [...new Set([...owed, ...changed])];
    return resources.length === 0 ? undefined : { version: versionOf(target), resources };
  }

  /** All that the proxy asked for; of clusters, those that are to go stay until {@link withoutSurplus}. */
  #whole(target: ResourceMap): Outgoing {
    const kept = this.kind === 'cluster' ? [...this.#told.values()].filter(({ name }) => !target.has(name)) : [];
    const resources = [...target.values(), ...kept].filter(({ name }) => this.wants(name));
    return { version: versionOf(resourceMap(resources)), resources };
  }

  withoutSurplus(target: ResourceMap): Outgoing | undefined {
    if (!this.subscribed || this.awaiting || !this.surplus(target)) return undefined;
    const resources = [...target.values()].filter(({ name }) => this.wants(name));
    return { version: versionOf(resourceMap(resources)), resources };
  }

  /** Notes that a response went out. */
  sent({ version, resources }: Outgoing, nonce: string): void {
    this.nonce = nonce;
    this.awaiting = true;
    this.error = undefined;
    this.sentVersion = version;
    this.#answerDue = false;
    this.#flight = resourceMap(resources);
    this.#told = FULL_STATE.has(this.kind) ? new Map(this.#flight) : new Map([...this.#told, ...this.#flight]);
    for (const { name } of resources) this.#owed.delete(name);
  }

  /** Says a name again at the next chance: Envoy does not use a changed cluster before it has heard its endpoints anew. */
  repeat(name: string): void {
    this.#told.delete(name);
  }

  #changed(target: ResourceMap): readonly Resource[] {
    const candidates = this.#wildcard
      ? target.values()
      : [...(this.#names ?? [])].flatMap((name) => target.get(name) ?? []);
    return [...candidates].filter(({ name, version }) => this.#told.get(name)?.version !== version);
  }

  #subscribe(names: readonly string[]): void {
    const before = this.#names;
    const next = new Set(names.filter((name) => name !== '*'));
    this.#named ||= names.length > 0;
    const wasWildcard = this.#wildcard;
    this.#wildcard = FULL_STATE.has(this.kind) && (names.includes('*') || !this.#named);
    this.#names = next;
    // Asked for anew is answered anew, even if it was sent before and did not change.
    const added = [...next].filter((name) => before?.has(name) !== true);
    for (const name of added) this.#owed.add(name);
    const grew = before === undefined || added.length > 0 || (this.#wildcard && !wasWildcard);
    this.#answerDue ||= grew && FULL_STATE.has(this.kind);
    this.#forget();
  }

  /** What the proxy no longer asks for it no longer has. */
  #forget(): void {
    const wanted = (map: ResourceMap): Map<string, Resource> => new Map([...map].filter(([name]) => this.wants(name)));
    this.#told = wanted(this.#told);
    this.#acked = wanted(this.#acked);
    for (const name of this.#owed) if (!this.wants(name)) this.#owed.delete(name);
  }
}
