import type { ProxyChange } from '../../api/kinds/proxy.ts';
import { timestamp } from '../../kit/clock.ts';
import type { Channel } from './channel.ts';
import { RESOURCE_KINDS, type Resource, type ResourceKind, type ResourceMap, type Snapshot } from './resource.ts';
import { type Difference, differenceOf } from './resource-difference.ts';

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
  /** What is not ACKed yet; a list that proxies share, never mutated. */
  open: readonly Part[];
  ackedAtMs: number | undefined;
}

// As much as a person reads; each proxy keeps its own.
const KEPT = 20;

/** What one proxy heard of late, and when it said yes to it. */
export class ChangeLog {
  #entries: Entry[] = [];
  /** Those of them that are not ACKed yet. */
  #open: Entry[] = [];

  /** Notes what a new snapshot changes for the proxy, of what it has asked for. */
  changed(before: Snapshot, after: Snapshot, world: ChangedWorld, channel: (kind: ResourceKind) => Channel): void {
    const first = this.#entries.length;
    for (const kind of RESOURCE_KINDS) {
      if (before[kind] === after[kind]) continue;
      const news = newsOf(before[kind], after[kind], world);
      if (news.length === 0) continue;
      const of = channel(kind);
      const wants = ({ name }: Part): boolean => of.wants(name);
      for (const { change, parts } of news) {
        const open = parts.every(wants) ? parts : parts.filter(wants);
        if (open.length > 0) this.#add(change, open, first);
      }
    }
    if (this.#entries.length <= 2 * KEPT) return;
    this.#entries = this.#entries.slice(-KEPT);
    this.#open = this.#entries.filter(isOpen);
  }

  /** Notes what the proxy has said yes to by now. A newer version of a part stands for those before it. */
  acked(kind: ResourceKind, channel: Channel, nowMs: number): void {
    if (this.#open.length === 0) return;
    const done = new Set<string>();
    for (const entry of this.#open.toReversed()) {
      entry.open = entry.open.filter((part) => {
        if (part.kind !== kind) return true;
        const settled = done.has(part.name) || channel.acked.get(part.name)?.version === part.version;
        if (settled) done.add(part.name);
        return !settled && channel.wants(part.name);
      });
      if (entry.open.length === 0) entry.ackedAtMs = nowMs;
    }
    this.#open = this.#open.filter(isOpen);
  }

  /** Newest first. */
  list(refusal: (kind: ResourceKind) => string | undefined): readonly ProxyChange[] {
    const newest = this.#entries.slice(-KEPT).reverse();
    return newest.map(({ change, open, ackedAtMs }) => {
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

  /** Of one change there is one entry, whichever kinds it is of. Those of this turn begin at `first`. */
  #add(change: Change, open: readonly Part[], first: number): void {
    for (let at = first; at < this.#entries.length; at++) {
      const known = this.#entries[at];
      if (known?.change.id !== change.id) continue;
      known.open = [...known.open, ...open];
      return;
    }
    const entry = { change, open, ackedAtMs: undefined };
    this.#entries.push(entry);
    this.#open.push(entry);
  }
}

function isOpen({ ackedAtMs }: Entry): boolean {
  return ackedAtMs === undefined;
}

interface News {
  readonly change: Change;
  readonly parts: readonly Part[];
}

const known = new WeakMap<Difference, { readonly world: ChangedWorld; readonly news: readonly News[] }>();

/** What became of a set, in people's words; worked out once for all proxies that share what differs. */
function newsOf(before: ResourceMap, after: ResourceMap, world: ChangedWorld): readonly News[] {
  const difference = differenceOf(before, after);
  const found = known.get(difference);
  if (found?.world === world) return found.news;
  const gone = difference.gone.flatMap((name) => before.get(name) ?? []);
  const all = [...difference.changed, ...gone].flatMap((resource) => {
    const { kind, name } = resource;
    const carried = [...resource.carries, ...(before.get(name)?.carries ?? [])];
    const part = { kind, name, version: after.get(name)?.version };
    return objectsOf(resource, carried, world.objects).map((object) => ({ object, part }));
  });
  const news = [...Map.groupBy(all, ({ object }) => object)].map(([object, found]) => ({
    change: { id: `${world.number} ${object}`, object, changedAtMs: world.changedAtMs },
    parts: found.map(({ part }) => part),
  }));
  known.set(difference, { world, news });
  return news;
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
