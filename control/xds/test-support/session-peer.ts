import { RESOURCE_KINDS, type Resource, type ResourceKind, resourceMap, type Snapshot } from '../resource.ts';
import { type ClientFeatures, Session, type SessionResponse, type Variant } from '../session.ts';

/** Versions by name, by kind: `{ cluster: { a: '1' } }`. */
export type Plan = Partial<Readonly<Record<ResourceKind, Readonly<Record<string, string>>>>>;

/** A snapshot by name and version; content does not matter to a session. */
export function snapshotOf(plan: Plan, ttlMs?: number): Snapshot {
  const mortal = ttlMs === undefined ? {} : { ttlMs };
  const map = (kind: ResourceKind) =>
    resourceMap(
      Object.entries(plan[kind] ?? {}).map(
        ([name, version]): Resource => ({ kind, name, version, value: new Uint8Array(), carries: [], ...mortal }),
      ),
    );
  return { cluster: map('cluster'), endpoints: map('endpoints'), listener: map('listener'), route: map('route') };
}

/** What a test reads of a response: `A@1 B@1 -C`, names sorted, a minus before what is gone. */
export function words({ resources, removed, heartbeat }: SessionResponse): string {
  const said = resources.map(({ name, version }) => `${name}@${version}${heartbeat ? '~' : ''}`).sort();
  return [...said, ...[...removed].sort().map((name) => `-${name}`)].join(' ');
}

/** A client of one stream, in either variant, that ACKs all it gets; and the server's session at the other end. */
export class SessionPeer {
  readonly session: Session;
  readonly variant: Variant;
  readonly got: { readonly kind: ResourceKind; readonly words: string; readonly response: SessionResponse }[] = [];
  nowMs = 0;
  readonly #names = new Map<ResourceKind, Set<string>>();

  constructor(variant: Variant, plan: Plan, features: ClientFeatures = { timeToLive: false }, ttlMs?: number) {
    this.variant = variant;
    this.session = new Session(variant, features);
    this.session.setSnapshot(snapshotOf(plan, ttlMs));
  }

  /** What came since the last call. */
  taken(): readonly string[] {
    this.work();
    return this.got.splice(0).map(({ kind, words: text }) => `${kind}: ${text}`);
  }

  set(plan: Plan): readonly string[] {
    this.session.setSnapshot(snapshotOf(plan));
    return this.taken();
  }

  wildcard(kind: ResourceKind): readonly string[] {
    this.#names.set(kind, new Set());
    this.request(kind, { subscribe: [], unsubscribe: [] });
    return this.taken();
  }

  subscribe(kind: ResourceKind, ...names: readonly string[]): readonly string[] {
    const all = this.#names.get(kind) ?? new Set();
    this.#names.set(kind, new Set([...all, ...names]));
    this.request(kind, { subscribe: names, unsubscribe: [] });
    return this.taken();
  }

  unsubscribe(kind: ResourceKind, ...names: readonly string[]): readonly string[] {
    const left = [...(this.#names.get(kind) ?? [])].filter((name) => !names.includes(name));
    this.#names.set(kind, new Set(left));
    this.request(kind, { subscribe: [], unsubscribe: names });
    return this.taken();
  }

  request(
    kind: ResourceKind,
    change: {
      readonly subscribe?: readonly string[];
      readonly unsubscribe?: readonly string[];
      readonly initialVersions?: Readonly<Record<string, string>>;
      readonly nonce?: string;
      readonly error?: string;
    } = {},
  ): void {
    const { subscribe = [], unsubscribe = [], initialVersions = {}, error } = change;
    const nonce = change.nonce ?? this.session.channel(kind).nonce;
    const names = [...(this.#names.get(kind) ?? [])];
    if (this.variant === 'sotw') this.session.request({ variant: 'sotw', kind, names, nonce, error });
    else
      this.session.request({
        variant: 'delta',
        kind,
        subscribe,
        unsubscribe,
        initialVersions,
        nonce: change.nonce ?? '',
        error,
      });
  }

  /** Takes and ACKs until nothing more comes. An ACK that brings a response of the same content would go on for ever. */
  work(): void {
    for (let turn = 0; turn < 50; turn++) {
      const { responses } = this.session.take(this.nowMs);
      if (responses.length === 0) return;
      for (const response of responses) {
        this.got.push({ kind: response.kind, words: words(response), response });
        this.request(response.kind, { nonce: response.nonce });
      }
    }
    throw new Error('the session does not come to rest');
  }
}

export function planOf(kind: ResourceKind, names: string, version = '1'): Plan {
  return { [kind]: Object.fromEntries(names.split(',').map((name) => [name, version])) };
}

export const KINDS = RESOURCE_KINDS;
