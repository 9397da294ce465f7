import type { ByteReceiver } from '../socket/shared-read.ts';

/** What a listener knows of those that it has accepted. */
export interface Connection extends ByteReceiver {
  /** Asks the client to go elsewhere with what is new, where there is a word for that. */
  drain?(): void;
  /** Its listener is gone: it finishes what is in flight. */
  retire(): void;
  close(): void;
}
