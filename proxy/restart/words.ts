import type { ListeningSocket } from '../engine.ts';

/** What the two processes say to each other, a line each. The successor begins. */
export const WORDS = {
  /** Successor: I want the sockets. They come as messages with descriptors. */
  takeOver: 'take over',
  /** Successor: I have what I need and accept; let go. */
  ready: 'ready',
  /** Predecessor: I accept no more. */
  left: 'left',
} as const;

/** One message of the handover; its descriptors are in the order of `sockets`. */
export interface Handover {
  /** Each socket is one worker's; one that is alone has bound its addresses for itself. */
  readonly workers: number;
  readonly sockets: readonly Pick<ListeningSocket, 'worker' | 'key'>[];
  /** Another message follows. */
  readonly more: boolean;
}

/** Beside a proxy's other state, which is its agent's user's alone. */
export const SOCKET_NAME = 'restart.sock';
