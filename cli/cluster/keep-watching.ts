import type { WatchEvent } from '../../api/client/client.ts';
import { mayPass } from '../../api/client/failures.ts';
import type { KubeObject } from '../../api/kinds/kind.ts';
import type { CommandContext } from './context.ts';

export interface Watching<Event> {
  readonly context: Pick<CommandContext, 'clock' | 'signal'>;
  /** The resourceVersion that has been seen. */
  readonly from: string;
  /** A watch from a resourceVersion on; it ends when the server ends it, and throws ApiError. */
  readonly open: (from: string) => AsyncIterable<Event>;
  /** The resourceVersion that has been seen with the event; undefined where it does not tell. */
  readonly versionOf: (event: Event) => string | undefined;
}

const AGAIN_MS = 250;

/**
 * A watch that goes on until Ctrl-C: where the server ends it (it does so from time to time), is started again or closes the connection, the
 * next one begins where this one ended. Throws a refusal that stays, 410 among them: then events are lost, and only a new list helps.
 */
export async function* keepWatching<Event>({
  context,
  from,
  open,
  versionOf,
}: Watching<Event>): AsyncGenerator<Event, void, undefined> {
  const { clock, signal } = context;
  for (let seen = from; !signal.aborted; ) {
    try {
      for await (const event of open(seen)) {
        seen = versionOf(event) ?? seen;
        yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!mayPass(error)) throw error;
    }
    await clock.sleep(AGAIN_MS, signal).catch(() => undefined);
  }
}

/** Of a client's own watch. */
export function watchVersion<T extends KubeObject>(event: WatchEvent<T>): string {
  return event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
}
