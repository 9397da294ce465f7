import { Channel, FULL_STATE, type Outgoing, type RequestOutcome } from './channel.ts';
import { type Resource, type ResourceMap, resourceMap, versionOf } from './resource.ts';

/**
 * A type in the state-of-the-world protocol: a request names all that is wanted. Responses of clusters and listeners hold all
 * that the proxy is to have, and what is missing is gone; those of endpoints and routes hold any part.
 */
export class SotwChannel extends Channel {
  /** Once a name was given, an empty list means none; before, it means all. */
  #named = false;
  /** What the last request named. */
  #list: readonly string[] | undefined = undefined;
  #acked = new Map<string, Resource>();

  get acked(): ResourceMap {
    return this.#acked;
  }

  request(names: readonly string[], nonce: string, error: string | undefined): RequestOutcome {
    const first = !this.subscribed;
    // A nonce does not outlive its stream (osm#3252). What a stale request asks for still counts: not to look at it can
    // starve a proxy (envoy#10363); it is no answer to the newest response.
    this.#subscribe(names);
    return first ? 'first' : this.answer(nonce, error);
  }

  outgoing(target: ResourceMap, changes: 'with-changes' | 'owed-only'): Outgoing | undefined {
    if (!this.subscribed || this.awaiting) return undefined;
    const owed = this.owed.size === 0 ? [] : [...this.owed].flatMap((name) => target.get(name) ?? []);
    const changed = changes === 'with-changes' ? this.changed(target) : [];
    if (FULL_STATE.has(this.kind)) {
      const removed = this.kind === 'listener' && changes === 'with-changes' && this.surplus(target);
      if (!this.answerDue && owed.length === 0 && changed.length === 0 && !removed) return undefined;
      return this.#whole(target);
    }
    if (owed.length === 0 && changed.length === 0) return undefined;
    const resources = owed.length === 0 ? changed : [...new Set([...owed, ...changed])];
    return { version: versionOf(target), resources, removed: [] };
  }

  withoutSurplus(target: ResourceMap): Outgoing | undefined {
    return this.awaiting || !this.surplus(target) ? undefined : this.#exactly(target);
  }

  /** Only of full-state types does a proxy hear from us that something is gone. */
  override surplus(target: ResourceMap): boolean {
    return FULL_STATE.has(this.kind) && super.surplus(target);
  }

  protected override accept(): void {
    if (FULL_STATE.has(this.kind)) this.#acked.clear();
    for (const resource of this.flight.resources) this.#acked.set(resource.name, resource);
    // What it no longer wants was taken out when it said so; what was under way may have come since.
    for (const { name } of this.flight.resources) if (!this.wants(name)) this.#acked.delete(name);
  }

  /** All that the proxy asked for; of clusters, those that are to go stay until {@link withoutSurplus}. */
  #whole(target: ResourceMap): Outgoing {
    if (this.kind !== 'cluster' || !this.surplus(target)) return this.#exactly(target);
    const kept = [...this.flight.resources].filter(({ name }) => !target.has(name));
    const resources = [...target.values(), ...kept].filter(({ name }) => this.wants(name));
    return { version: versionOf(resourceMap(resources)), resources, removed: [] };
  }

  #exactly(target: ResourceMap): Outgoing {
    const all = [...target.values()];
    if (this.wildcard) return { version: versionOf(target), resources: all, removed: [] };
    const resources = all.filter(({ name }) => this.wants(name));
    return { version: versionOf(resourceMap(resources)), resources, removed: [] };
  }

  override sent(outgoing: Outgoing, nonce: string): void {
    if (FULL_STATE.has(this.kind)) this.told.clear();
    super.sent(outgoing, nonce);
  }

  #subscribe(list: readonly string[]): void {
    if (list === this.#list) return;
    this.#list = list;
    const before = this.names;
    const wasWildcard = this.wildcard;
    this.#named ||= list.length > 0;
    const wildcard = FULL_STATE.has(this.kind) && (list.includes('*') || !this.#named);
    const same = before?.size === list.length && wildcard === wasWildcard && list.every((name) => before.has(name));
    if (same) return;
    this.wildcard = wildcard;
    this.names = new Set(list.filter((name) => name !== '*'));
    // Asked for anew is answered anew, even if it was sent before and did not change.
    const added = [...this.names].filter((name) => before?.has(name) !== true);
    for (const name of added) this.owed.add(name);
    const grew = before === undefined || added.length > 0 || (wildcard && !wasWildcard);
    this.answerDue ||= grew && FULL_STATE.has(this.kind);
    this.resubscribed();
    for (const name of this.#acked.keys()) if (!this.wants(name)) this.#acked.delete(name);
  }
}
