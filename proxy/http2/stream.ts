import type { FieldSink } from './hpack/decoder.ts';

/** Who reads a stream and is told what becomes of it. */
export interface StreamUser {
  /** Where the fields of the block that begins go. */
  fieldSink(block: 'head' | 'trailers'): FieldSink;
  /** The head is whole, or for a client's side an interim one. What is wrong with it becomes a stream error. */
  head(last: boolean): 'sound' | 'malformed';
  /** `from` is valid during the call only. */
  data(from: Buffer, start: number, end: number): void;
  /** The other side has said all; its trailers, if any, have gone to the sink. */
  ended(): void;
  /** Nothing more comes or can be sent, before both sides were through. */
  reset(code: number, by: 'peer' | 'session'): void;
  /** What was queued has left. */
  drained(): void;
}

/** One stream of a session: its windows, and what waits for them. Only the session writes here, but for `expectedBytes` and `headSeen`. */
export class Stream {
  readonly id: number;
  user: StreamUser | undefined = undefined;
  /** The other side has ended the stream. */
  remoteEnded = false;
  /** This side has, or has said how. */
  localEnded = false;
  closed = false;
  /** Used like a socket: one side's end does not end the other's. */
  isTunnel = false;
  headSeen = false;
  sendWindow: number;
  receiveWindow: number;
  /** Taken in and not yet given back as the stream's window. */
  unreturned = 0;
  /** The same of the connection's window. */
  withheld = 0;
  /** Our user does not keep up: no window is given back. */
  paused = false;
  received = 0;
  /** What content-length promised; -1 when nothing did. The user's to set once the head is known. */
  expectedBytes = -1;
  /** What the other side's windows have no room for. */
  readonly queue: Buffer[] = [];
  queuedBytes = 0;
  /** The end comes behind the queue, with this block of trailers or ''. */
  queuedEnd: string | undefined = undefined;

  constructor(id: number, sendWindow: number, receiveWindow: number) {
    this.id = id;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
  }
}
