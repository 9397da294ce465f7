import net from 'node:net';
import { Tally } from './outcome.ts';

// Large bodies, one after the other on each connection. Counts what went through, also of bodies that were not whole when
// the time was over. Usage: bodies.ts JSON
interface Spec {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  readonly direction: 'download' | 'upload';
  readonly bytes: number;
}

const spec = JSON.parse(process.argv[2] ?? '{}') as Spec;
const tally = new Tally();
const piece = Buffer.alloc(64 * 1024, 'x');
// Nobody looks at what comes: one buffer takes it all.
const scratch = Buffer.alloc(256 * 1024);
let bytes = 0;
const conversations: Conversation[] = [];

class Conversation {
  readonly #socket: net.Socket;
  #sentAtMs = 0;
  #owed = 0;
  /** Of an answer's body; -1 while its head has not come. */
  #left = -1;
  #head = '';

  constructor() {
    this.#socket = net.connect({
      port: spec.port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: scratch,
        callback: (count, from) => {
          this.#receive(from as Buffer, count);
          return true;
        },
      },
    });
    this.#socket.on('connect', () => this.#ask());
    this.#socket.on('drain', () => this.#pump());
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      if (!tally.over) tally.failures++;
    });
  }

  #ask(): void {
    this.#sentAtMs = performance.now();
    const isUpload = spec.direction === 'upload';
    const start = isUpload ? `POST / HTTP/1.1\r\nContent-Length: ${spec.bytes}` : `GET /${spec.bytes} HTTP/1.1`;
    this.#owed = isUpload ? spec.bytes : 0;
    this.#socket.write(`${start}\r\nHost: bench.internal\r\n\r\n`);
    this.#pump();
  }

  #pump(): void {
    while (this.#owed > 0) {
      const next = this.#owed < piece.length ? piece.subarray(0, this.#owed) : piece;
      this.#owed -= next.length;
      bytes += next.length;
      if (!this.#socket.write(next)) return;
    }
  }

  #receive(from: Buffer, count: number): void {
    if (this.#left < 0) {
      this.#head += from.toString('latin1', 0, count);
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!this.#head.startsWith('HTTP/1.1 200')) {
        tally.failures++;
        this.#socket.destroy();
        return;
      }
      const length = Number(/content-length: (\d+)/i.exec(this.#head)?.[1] ?? 0);
      const came = this.#head.length - end - 4;
      this.#head = '';
      this.#left = length - came;
      bytes += came;
    } else {
      this.#left -= count;
      bytes += count;
    }
    if (this.#left > 0 || tally.over) return;
    this.#left = -1;
    tally.took(performance.now() - this.#sentAtMs);
    this.#ask();
  }
}

for (let at = 0; at < spec.connections; at++) conversations.push(new Conversation());
tally.begin(spec.durationMs, () => void (tally.requests = bytes / spec.bytes));
