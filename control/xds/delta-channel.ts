import { Channel, FULL_STATE, type Outgoing, type RequestOutcome } from './channel.ts';
import { type Resource, type ResourceMap, versionOf } from './resource.ts';

/** A request of the incremental protocol, as far as it decides anything. */
export interface DeltaRequest {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** What the proxy holds from a stream before this one; counts in the first request of a type only. */
  readonly initialVersions: Readonly<Record<string, string>>;
  readonly nonce: string;
  readonly error: string | undefined;
}

/** A type in the incremental protocol: requests change what is wanted, responses say what changed and what is gone. */
export class DeltaChannel extends Channel {
  readonly #acked = new Map<string, Resource>();
  /** Versions that the proxy came with and that have not been compared with a target yet. */
  #brought: readonly (readonly [name: string, version: string])[] = [];

  get acked(): ResourceMap {
    return this.#acked;
  }

  request({ subscribe, unsubscribe, initialVersions, nonce, error }: DeltaRequest): RequestOutcome {
    const first = !this.subscribed;
    if (first) this.#begin(subscribe, initialVersions);
    if (first || subscribe.length > 0 || unsubscribe.length > 0) this.#change(subscribe, unsubscribe, first);
    // A spontaneous request carries no nonce; a stale one changes the subscription all the same.
    return first ? 'first' : this.answer(nonce, error);
  }

  outgoing(target: ResourceMap, changes: 'with-changes' | 'owed-only'): Outgoing | undefined {
    if (!this.subscribed || this.awaiting) return undefined;
    this.#compareBrought(target);
    const owed = [...this.owed];
    const named = owed.flatMap((name) => target.get(name) ?? []);
    const removed = owed.filter((name) => !target.has(name));
    // One that asks for all for the first time gets all at once, whatever else is under way.
    const changed = changes === 'with-changes' || this.answerDue ? this.changed(target) : [];
    const resources = named.length === 0 ? changed : [...new Set([...named, ...changed])];
    if (changes === 'with-changes') {
      // Routes that are gone have had their listeners; clusters and endpoints wait for withoutSurplus.
      if (this.kind === 'listener' || this.kind === 'route') removed.push(...this.#gone(target));
    }
    if (resources.length === 0 && removed.length === 0 && !this.answerDue) return undefined;
    return { version: versionOf(target), resources, removed: [...new Set(removed)] };
  }

  withoutSurplus(target: ResourceMap): Outgoing | undefined {
    if (this.awaiting || !this.surplus(target)) return undefined;
    return { version: versionOf(target), resources: [], removed: this.#gone(target) };
  }

  protected override accept(): void {
    for (const resource of this.flight.resources)
      if (this.wants(resource.name)) this.#acked.set(resource.name, resource);
    for (const name of this.flight.removed) this.#acked.delete(name);
  }

  #gone(target: ResourceMap): readonly string[] {
    return this.surplus(target) ? [...this.told.keys()].filter((name) => !target.has(name)) : [];
  }

  #begin(subscribe: readonly string[], initialVersions: Readonly<Record<string, string>>): void {
    this.names = new Set();
    this.wildcard = FULL_STATE.has(this.kind) && subscribe.length === 0;
    // An empty mesh is news to one that waits for its first response.
    this.answerDue = this.wildcard;
    this.#brought = Object.entries(initialVersions);
    for (const [name, version] of this.#brought) this.told.set(name, version);
  }

  #change(subscribe: readonly string[], unsubscribe: readonly string[], first: boolean): void {
    const names = this.names ?? new Set();
    for (const name of subscribe) {
      if (name === '*') {
        this.answerDue ||= !this.wildcard && FULL_STATE.has(this.kind);
        this.wildcard = FULL_STATE.has(this.kind);
        continue;
      }
      names.add(name);
      // Even what was sent before is sent again: the proxy may have dropped it. What it says it has, it has.
      if (!first || !this.told.has(name)) this.owed.add(name);
    }
    for (const name of unsubscribe) {
      if (name === '*') this.wildcard = false;
      else if (names.delete(name)) {
        this.owed.delete(name);
        // Whether it still is to have it as one of all, the proxy cannot know by itself.
        if (this.wildcard) this.owed.add(name);
      }
    }
    this.resubscribed();
    for (const name of this.#acked.keys()) if (!this.wants(name)) this.#acked.delete(name);
  }

  /** What the proxy brought in the version that it is to have counts as said yes to. */
  #compareBrought(target: ResourceMap): void {
    for (const [name, version] of this.#brought) {
      const resource = target.get(name);
      if (resource?.version === version && this.wants(name)) this.#acked.set(name, resource);
    }
    this.#brought = [];
  }
}
