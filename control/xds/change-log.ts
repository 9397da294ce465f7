import type { ProxyChange } from '../../api/kinds/proxy.ts';
import { timestamp } from '../../kit/clock.ts';
import type { Channel } from './channel.ts';
import { RESOURCE_KINDS, type Resource, type ResourceKind, type Snapshot } from './resource.ts';
import { differenceOf } from './resource-difference.ts';

/** One change of the world as proxies hear of it: what an operator did, or what became of a pod. */
export interface Change {
  /** The same for every proxy that hears of it. */
  readonly id: string;
  readonly object: string;
  readonly changedAtMs: number;
}

/** A pass of the translation: when the first of what it took in had changed, and which routes and Gateways had. */
export interface ChangedWorld {
  readonly number: number;
  readonly changedAtMs: number;
  readonly objects: ReadonlySet<string>;
}

interface Part {
  readonly kind: ResourceKind;
  readonly name: string;
  /** Undefined when it is gone. */
  readonly version: string | undefined;
}

interface Entry {
  readonly change: Change;
  open: readonly Part[];
  ackedAtMs: number | undefined;
}

// As much as a person reads; each proxy keeps its own.
const KEPT = 20;

/** What one proxy heard of late, and when it said yes to it. */
export class ChangeLog {
  #entries: Entry[] = [];

  /** Notes what a new snapshot changes for the proxy, of what it has asked for. */
  changed(before: Snapshot, after: Snapshot, world: ChangedWorld, channel: (kind: ResourceKind) => Channel): void {
    const parts = new Map<string, Part[]>();
    for (const kind of RESOURCE_KINDS) {
      if (before[kind] === after[kind]) continue;
      const { changed, gone } = differenceOf(before[kind], after[kind]);
      const all = [...changed, ...gone.flatMap((name) => before[kind].get(name) ?? [])];
      for (const resource of all.filter(({ name }) => channel(kind).wants(name))) {
        const version = after[kind].get(resource.name)?.version;
        const carried = [...resource.carries, ...(before[kind].get(resource.name)?.carries ?? [])];
        for (const object of objectsOf(resource, carried, world.objects)) {
          parts.set(object, [...(parts.get(object) ?? []), { kind, name: resource.name, version }]);
        }
      }
    }
    for (const [object, open] of parts) {
      const change = { id: `${world.number} ${object}`, object, changedAtMs: world.changedAtMs };
      this.#entries.push({ change, open, ackedAtMs: undefined });
    }
    if (this.#entries.length > KEPT) this.#entries = this.#entries.slice(-KEPT);
  }

  /** Notes what the proxy has said yes to by now. A newer version of a part stands for those before it. */
  acked(kind: ResourceKind, channel: Channel, nowMs: number): void {
    const done = new Set<string>();
    for (const entry of this.#entries.toReversed()) {
      if (entry.ackedAtMs !== undefined) continue;
      entry.open = entry.open.filter((part) => {
        if (part.kind !== kind) return true;
        const settled = done.has(part.name) || channel.acked.get(part.name)?.version === part.version;
        if (settled) done.add(part.name);
        return !settled && channel.wants(part.name);
      });
      if (entry.open.length === 0) entry.ackedAtMs = nowMs;
    }
  }

  /** Newest first. */
  list(refusal: (kind: ResourceKind) => string | undefined): readonly ProxyChange[] {
    return this.#entries.toReversed().map(({ change, open, ackedAtMs }) => {
      const refused = open.map(({ kind }) => refusal(kind)).find((error) => error !== undefined);
      return {
        id: change.id,
        object: change.object,
        changedAt: timestamp(change.changedAtMs),
        ...(ackedAtMs === undefined ? {} : { tookMs: Math.max(0, Math.round(ackedAtMs - change.changedAtMs)) }),
        ...(refused === undefined ? {} : { refused }),
      };
    });
  }
}

/** What people call it. A route table is of many routes: those are meant that changed. */
function objectsOf(resource: Resource, carried: readonly string[], changed: ReadonlySet<string>): readonly string[] {
  const [what, namespace = '', service = ''] = resource.name.split('/');
  if (resource.kind === 'endpoints') return [`Endpoints/${namespace}/${service}`];
  const meant = [...new Set(carried)].filter((object) => changed.has(object));
  if (meant.length > 0) return meant;
  if (what === 'service' || what === 'outbound')
    return service === '' ? ['Services'] : [`Service/${namespace}/${service}`];
  return what === 'inbound' ? ['Pod'] : ['Services'];
}
