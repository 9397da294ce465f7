import { Alarm, type TimerWheel } from '../../kit/timer-wheel.ts';

/** One finished request. */
export interface AccessRecord {
  /** Wall time at which the request came, milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly direction: string;
  readonly method: string;
  readonly authority: string;
  readonly target: string;
  /** 0 when the client had gone before there was one. */
  readonly status: number;
  readonly reason: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
  readonly tries: number;
  readonly cluster: string;
  /** `address:port` of the endpoint that answered last. */
  readonly upstream: string;
  /** SPIFFE id of the peer on an mTLS connection. */
  readonly peer: string;
  readonly peerAddress: string;
  readonly requestId: string;
  /** -1 when the request was no call of gRPC's. */
  readonly grpcStatus: number;
}

export type AccessLogFormat = 'json' | 'text';

const FLUSH_BYTES = 32 * 1024;
const FLUSH_MS = 100;

/** Gathers lines and hands them to `sink` in batches: every 100 ms, or sooner when 32 KiB have gathered. */
export class AccessLog {
  readonly #format: AccessLogFormat;
  readonly #sink: (lines: string) => void;
  readonly #wheel: TimerWheel;
  readonly #alarm: Alarm;
  #lines = '';

  constructor(format: AccessLogFormat, sink: (lines: string) => void, wheel: TimerWheel) {
    this.#format = format;
    this.#sink = sink;
    this.#wheel = wheel;
    this.#alarm = new Alarm(() => this.flush());
  }

  write(record: AccessRecord, nowMonotonicMs: number): void {
    if (this.#lines === '') this.#wheel.set(this.#alarm, nowMonotonicMs, FLUSH_MS);
    this.#lines += this.#format === 'json' ? jsonLine(record) : textLine(record);
    if (this.#lines.length >= FLUSH_BYTES) this.flush();
  }

  flush(): void {
    if (this.#lines === '') return;
    const lines = this.#lines;
    this.#lines = '';
    this.#sink(lines);
  }
}

function jsonLine(record: AccessRecord): string {
  return `{"time":"${new Date(record.startedAtMs).toISOString()}","direction":"${record.direction}","method":"${record.method}","authority":${quoted(record.authority)},"path":${quoted(record.target)},"status":${record.status},"reason":"${record.reason}","bytesIn":${record.bytesIn},"bytesOut":${record.bytesOut},"durationMs":${record.durationMs.toFixed(2)},"tries":${record.tries},"cluster":${quoted(record.cluster)},"upstream":"${record.upstream}","peer":${quoted(record.peer)},"peerAddress":"${record.peerAddress}","requestId":${quoted(record.requestId)}${record.grpcStatus < 0 ? '' : `,"grpcStatus":${record.grpcStatus}`}}\n`;
}

function textLine(record: AccessRecord): string {
  const dash = (text: string): string => (text === '' ? '-' : text);
  return `${new Date(record.startedAtMs).toISOString()} ${record.direction} "${record.method} ${record.authority}${record.target}" ${record.status} ${dash(record.reason)} ${record.bytesIn} ${record.bytesOut} ${record.durationMs.toFixed(2)}ms ${dash(record.cluster)} ${dash(record.upstream)} ${dash(record.peer)} ${dash(record.requestId)}\n`;
}

/** Targets and ids are visible ASCII without quotes almost always: then no escaping is needed. */
function quoted(text: string): string {
  return /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text) ? `"${text}"` : JSON.stringify(text);
}
