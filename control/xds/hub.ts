import type { Pod } from '../../api/kinds/pod.ts';
import type { Proxy } from '../../api/kinds/proxy.ts';
import type { Clock, Timer } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { ChangedWorld } from './change-log.ts';
import { proxyObject } from './list-proxies.ts';
import { admit, type NodeId, parseNodeId, recordId } from './node-id.ts';
import { ProxyRecord } from './proxy-record.ts';
import { type ProxyView, RECONNECT_GRACE_MS } from './proxy-view.ts';
import { PushQueue } from './push-queue.ts';
import type { ResourceKind, Snapshot } from './resource.ts';
import {
  type ClientFeatures,
  Session,
  type SessionResponse,
  type SubscriptionRequest,
  type Variant,
} from './session.ts';
import { carriedObject } from './translate/names.ts';
import type { Translation } from './translate/translation.ts';
import type { World } from './translate/world.ts';

export interface HubOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Something that status follows from has happened: an ACK or a NACK of a kind, or a proxy that came or went. */
  readonly onProgress: (answered?: ResourceKind) => void;
}

/** The server's end of one stream, as the hub sees it. */
export interface Stream {
  readonly nodeId: string;
  /** From the client certificate. */
  readonly spiffeId: string;
  /** The proxy's own version, as it says. */
  readonly version: string;
  readonly variant: Variant;
  readonly features: ClientFeatures;
  /** Whether the peer has not taken what was sent before: it is told the newest state once it has. */
  readonly congested: boolean;
  send(response: SessionResponse): void;
  /** Ends the stream: the peer is not who it says. */
  refuse(reason: string): void;
}

export interface Link {
  request(request: SubscriptionRequest): void;
  /** The peer takes more. */
  drained(): void;
  close(): void;
}

interface Open {
  readonly stream: Stream;
  readonly node: NodeId;
  readonly session: Session;
  readonly record: ProxyRecord;
  /** Streams are numbered as they come. */
  readonly number: number;
  /** The translation that the session has its snapshot of; with it the peer was admitted. */
  supplied: Translation | undefined;
  /** The pod that the peer was found to be: looked at again when that is another object. */
  admittedAs: Pod | undefined;
  /** Whether a response waits for its answer. */
  unanswered: boolean;
  wake: Timer | undefined;
}

// A disconnected proxy is shown for this long, unless its pod is gone.
const KEEP_DISCONNECTED_MS = 600_000;

/** Brings sessions and translation together: each proxy's session gets the proxy's part of the newest translation. */
export class Hub {
  readonly #options: HubOptions;
  readonly #open = new Set<Open>();
  readonly #records = new Map<string, ProxyRecord>();
  readonly #newest = new Map<string, Open>();
  readonly #queue: PushQueue<Open>;
  #translation: Translation | undefined = undefined;
  #changed: ChangedWorld = { number: 0, changedAtMs: 0, objects: new Set() };
  #translations = 0;
  #streams = 0;
  /** Streams on which a response waits for its answer. */
  #unanswered = 0;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#queue = new PushQueue(options.clock, (open) => this.#supply(open));
  }

  get translation(): Translation | undefined {
    return this.#translation;
  }

  /** `changedAtMs`: when the first of what the translation took in had changed. */
  setTranslation(translation: Translation, changedAtMs: number): void {
    const objects = changedObjects(this.#translation?.world, translation.world);
    this.#changed = { number: ++this.#translations, changedAtMs, objects };
    this.#translation = translation;
    this.#forget();
    for (const open of this.#open) this.#queue.add(open);
  }

  /**
   * Whether proxies are still being told: some have not been looked at since something changed for them, or most have not answered yet.
   * Their answers are half of the work. Few that never answer hold up nobody.
   */
  get busy(): boolean {
    return this.#queue.size > 0 || this.#unanswered > this.#open.size / 2;
  }

  open(stream: Stream): Link | undefined {
    const { clock } = this.#options;
    const node = parseNodeId(stream.nodeId);
    if (node === undefined) {
      stream.refuse(
        `node id "${stream.nodeId}": wanted sidecar/<namespace>/<pod>, grpc/<namespace>/<pod> or ingress/<namespace>/<name>`,
      );
      return undefined;
    }
    const number = ++this.#streams;
    const id = recordId(stream.nodeId, node, number);
    const record = this.#records.get(id) ?? new ProxyRecord(id, node, clock.now());
    const open: Open = {
      stream,
      node,
      session: new Session(stream.variant, stream.features),
      record,
      number,
      supplied: undefined,
      admittedAs: undefined,
      unanswered: false,
      wake: undefined,
    };
    this.#open.add(open);
    this.#queue.add(open);
    return {
      request: (request) => this.#request(open, request),
      drained: () => this.#queue.add(open),
      close: () => this.#close(open),
    };
  }

  /** Whether a peer may speak for a node; for services beside ADS. */
  speaksFor(nodeId: string, spiffeId: string): boolean {
    const node = parseNodeId(nodeId);
    const world = this.#translation?.world;
    return node !== undefined && world !== undefined && admit(node, spiffeId, world).kind === 'admitted';
  }

  /** For load reports. A pod's gRPC clients report under one node id, on streams that are not those of ADS: the newest client stands for all. */
  record(nodeId: string): ProxyRecord | undefined {
    const known = this.#records.get(nodeId);
    if (known !== undefined) return known;
    return [...this.#newest.values()].findLast(({ stream }) => stream.nodeId === nodeId)?.record;
  }

  views(): readonly ProxyView[] {
    return [...this.#records.values()].map((record) => record.view());
  }

  listProxies(): readonly Proxy[] {
    // A gRPC client that is gone was a process that ended: nothing is wrong, and nothing is expected of it.
    const shown = [...this.#records.values()].filter(
      ({ node, session }) => node.mode !== 'grpc' || session !== undefined,
    );
    return shown.map(proxyObject);
  }

  /** Gives the session what it is to have, once it is clear that the peer is who it says. */
  #supply(open: Open): void {
    const { session } = open;
    const translation = this.#translation;
    if (!this.#open.has(open) || translation === undefined) return;
    if (open.supplied !== translation) {
      if (!this.#admits(open, translation.world)) return;
      this.#connect(open);
      const snapshot = snapshotFor(open.node, translation);
      const before = session.snapshot;
      const isOther = snapshot !== undefined && session.setSnapshot(snapshot);
      if (isOther && before !== undefined) {
        open.record.changes.changed(before, snapshot, this.#changed, (kind) => session.channel(kind));
      }
      open.supplied = translation;
    }
    this.#push(open);
  }

  #admits(open: Open, world: World): boolean {
    const { stream, node, admittedAs } = open;
    const pod = node.mode === 'ingress' ? undefined : world.pods.get(node.key);
    if (pod !== undefined && pod === admittedAs) return true;
    const admission = admit(node, stream.spiffeId, world);
    if (admission.kind === 'admitted') open.admittedAs = pod;
    if (admission.kind === 'refused') {
      this.#options.log.warn({ node: stream.nodeId }, `proxy refused: ${admission.reason}`);
      this.#close(open);
      stream.refuse(admission.reason);
    }
    return admission.kind === 'admitted';
  }

  /** A proxy that reconnects may be there twice for a moment: the newer stream speaks for it. */
  #connect(open: Open): void {
    const { clock, log, onProgress } = this.#options;
    const { stream, session, record, number } = open;
    const newest = this.#newest.get(record.nodeId);
    if (newest !== undefined && newest.number >= number) return;
    this.#newest.set(record.nodeId, open);
    this.#records.set(record.nodeId, record);
    record.version = stream.version;
    record.connect(session, clock.now());
    log.debug({ node: stream.nodeId }, 'proxy connected');
    onProgress();
  }

  #request(open: Open, request: SubscriptionRequest): void {
    const { record, session, stream } = open;
    record.lastSeenMs = this.#options.clock.now();
    const outcome = session.request(request);
    if (outcome === 'ack') record.changes.acked(request.kind, session.channel(request.kind), record.lastSeenMs);
    if (outcome === 'nack') {
      this.#options.log.warn({ node: stream.nodeId, type: request.kind }, `proxy refused: ${request.error ?? ''}`);
    }
    this.#noteAnswer(open);
    if (outcome !== 'ack' || !session.rests) this.#queue.add(open);
    this.#options.onProgress(request.kind);
  }

  #push(open: Open): void {
    const { clock } = this.#options;
    open.wake?.stop();
    open.wake = undefined;
    if (!this.#open.has(open) || open.stream.congested) return;
    const now = clock.monotonic();
    const { responses, wakeAtMs } = open.session.take(now);
    for (const response of responses) open.stream.send(response);
    if (responses.length > 0) this.#noteAnswer(open);
    if (wakeAtMs !== undefined) open.wake = clock.timer(Math.max(0, wakeAtMs - now), () => this.#queue.add(open));
  }

  #noteAnswer(open: Open): void {
    const unanswered = this.#open.has(open) && open.session.awaiting;
    if (unanswered === open.unanswered) return;
    open.unanswered = unanswered;
    this.#unanswered += unanswered ? 1 : -1;
  }

  #close(open: Open): void {
    const { clock, log, onProgress } = this.#options;
    open.wake?.stop();
    this.#queue.delete(open);
    if (!this.#open.delete(open)) return;
    this.#noteAnswer(open);
    if (this.#newest.get(open.record.nodeId) === open) this.#newest.delete(open.record.nodeId);
    open.record.disconnect(open.session, clock.now());
    log.debug({ node: open.stream.nodeId }, 'proxy disconnected');
    onProgress();
  }

  #forget(): void {
    const now = this.#options.clock.now();
    for (const [nodeId, record] of this.#records) {
      if (record.session !== undefined) continue;
      const { mode, key } = record.node;
      const pods = this.#translation?.world.pods;
      const gone = mode === 'grpc' || (mode === 'sidecar' && pods?.has(key) !== true);
      const limit = gone ? RECONNECT_GRACE_MS : KEEP_DISCONNECTED_MS;
      if (now - record.disconnectedAtMs > limit) this.#records.delete(nodeId);
    }
  }
}

/** Routes and Gateways whose spec is another than before, came or went. */
function changedObjects(before: World | undefined, after: World): ReadonlySet<string> {
  const specs = (world: World | undefined): ReadonlyMap<string, unknown> =>
    new Map<string, unknown>([
      ...(world?.httpRoutes ?? []).map((one) => [carriedObject('HTTPRoute', one), one.metadata.generation] as const),
      ...(world?.tlsRoutes ?? []).map((one) => [carriedObject('TLSRoute', one), one.metadata.generation] as const),
      ...(world?.tcpRoutes ?? []).map((one) => [carriedObject('TCPRoute', one), one.metadata.generation] as const),
      ...(world?.gateways ?? []).map((one) => [carriedObject('Gateway', one), one.metadata.generation] as const),
    ]);
  const [old, now] = [specs(before), specs(after)];
  return new Set([...old.keys(), ...now.keys()].filter((key) => old.get(key) !== now.get(key)));
}

function snapshotFor({ mode, namespace, name }: NodeId, translation: Translation): Snapshot | undefined {
  switch (mode) {
    case 'ingress':
      return translation.ingressProxy();
    case 'sidecar':
      return translation.sidecar(namespace, name);
    case 'grpc':
      return translation.grpcClient(namespace, name);
    default:
      return mode satisfies never;
  }
}
