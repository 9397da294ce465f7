import type { ServerResponse } from 'node:http';
import { apiVersionOf, type Kind, type KubeObject } from '../../../api/kinds/kind.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { Clock } from '../../../kit/clock.ts';
import { StoreClosedError } from '../../store/store.ts';
import type { ObjectEvent } from '../verbs/watch.ts';
import type { AnswerForm } from './answer.ts';
import { jsonText } from './json-text.ts';
import { metadataOf, tableOf } from './table.ts';

/** A reader that takes nothing for so long is cut off; it watches on from where it was. */
const SLOW_READER_MS = 30_000;

/** At most one bookmark in this time, as long as something else keeps the reader up to date (Kubernetes: a minute). */
const BOOKMARK_EVERY_MS = 10_000;

export interface WatchStream<T extends KubeObject> {
  readonly kind: Kind<T>;
  readonly events: AsyncIterable<ObjectEvent<T>>;
  readonly response: ServerResponse;
  readonly form: Omit<AnswerForm, 'nowMs'>;
  readonly bookmarks: boolean;
  readonly clock: Clock;
}

/**
 * Writes events as lines of JSON until they end, the reader leaves or does not keep up. An error ends the stream as an
 * ERROR event with its Status.
 */
export async function streamWatch<T extends KubeObject>(stream: WatchStream<T>): Promise<void> {
  const { response, events, clock } = stream;
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  const lines = new EventLines(stream);
  try {
    for await (const event of events) {
      const line = lines.of(event);
      if (line !== undefined && !(await written(response, line, clock))) return;
    }
    await written(response, lines.lastBookmark(), clock);
  } catch (error) {
    if (!(error instanceof StoreClosedError)) await written(response, errorLine(error), clock);
    if (!(error instanceof ApiError) && !(error instanceof StoreClosedError)) throw error;
  } finally {
    response.end();
  }
}

class EventLines<T extends KubeObject> {
  readonly #stream: WatchStream<T>;
  #columnsSent = false;
  #bookmarkedAt = Number.NEGATIVE_INFINITY;
  #unsent: string | undefined;

  constructor(stream: WatchStream<T>) {
    this.#stream = stream;
  }

  /** Undefined for a bookmark that nobody asked for or that comes too soon. */
  of(event: ObjectEvent<T>): string | undefined {
    if (event.type !== 'BOOKMARK') {
      this.#unsent = undefined;
      return `{"type":"${event.type}","object":${this.#object(event.object)}}\n`;
    }
    if (!this.#stream.bookmarks) return undefined;
    const now = this.#stream.clock.monotonic();
    this.#unsent = event.resourceVersion;
    if (!event.endsInitialEvents && now - this.#bookmarkedAt < BOOKMARK_EVERY_MS) return undefined;
    this.#bookmarkedAt = now;
    return this.#bookmark(event.resourceVersion, event.endsInitialEvents);
  }

  /** How far the reader has got, when the watch ends: it goes on from there. Empty when it knows. */
  lastBookmark(): string {
    return this.#unsent === undefined ? '' : this.#bookmark(this.#unsent, false);
  }

  #bookmark(resourceVersion: string, endsInitialEvents: boolean): string {
    this.#unsent = undefined;
    const { kind, form } = this.#stream;
    const annotations = endsInitialEvents ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const metadata = { resourceVersion, creationTimestamp: null, ...annotations };
    const object =
      form.representation.as === 'table'
        ? { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: null, rows: [] }
        : { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata };
    return `${JSON.stringify({ type: 'BOOKMARK', object })}\n`;
  }

  #object(object: T): string {
    const { kind, form, clock } = this.#stream;
    if (form.representation.as === 'object') return jsonText(object);
    if (form.representation.as === 'metadata') return JSON.stringify(metadataOf(object));
    const { resourceVersion } = object.metadata;
    const table = tableOf(kind, [object], { resourceVersion }, { ...form, nowMs: clock.now() });
    const shown = this.#columnsSent ? { ...table, columnDefinitions: null } : table;
    this.#columnsSent = true;
    return JSON.stringify(shown);
  }
}

function errorLine(error: unknown): string {
  const known = error instanceof ApiError ? error : ApiError.internal('the watch has failed', { cause: error });
  return `${JSON.stringify({ type: 'ERROR', object: known.status })}\n`;
}

/** False when the reader is gone or has been cut off. */
async function written(response: ServerResponse, line: string, clock: Clock): Promise<boolean> {
  if (response.destroyed || response.closed) return false;
  if (line === '' || response.write(line)) return true;
  return await new Promise<boolean>((resolve) => {
    const finish = (kept: boolean) => (): void => {
      timer.stop();
      response.off('drain', onDrain);
      response.off('close', onClose);
      if (!kept) response.destroy();
      resolve(kept);
    };
    const onDrain = finish(true);
    const onClose = finish(false);
    const timer = clock.timer(SLOW_READER_MS, onClose);
    response.once('drain', onDrain);
    response.once('close', onClose);
  });
}
