import net from 'node:net';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  field,
  frame,
  HEADERS,
  largestWindows,
  MESSAGE,
  PREFACE,
  RST_STREAM,
  readFrames,
} from './http2-frames.ts';
import { Tally } from './outcome.ts';

// Bidirectional gRPC streams, each of which sends its message again as soon as one has come back. Usage: grpc-streams.ts JSON
interface Spec {
  readonly port: number;
  readonly connections: number;
  readonly streams: number;
  readonly durationMs: number;
}

// Of the static table (RFC 7541 appendix A).
const [METHOD_POST, SCHEME_HTTP, AUTHORITY, PATH] = ['\x83', '\x86', 1, 4] as const;

const spec = JSON.parse(process.argv[2] ?? '{}') as Spec;
const tally = new Tally();
const head = `${METHOD_POST}${SCHEME_HTTP}${field(AUTHORITY, 'bench.internal')}${field(PATH, '/bench.Echo/Chat')}${field('content-type', 'application/grpc')}${field('te', 'trailers')}`;
let up = 0;

function drive(): void {
  const socket = net.connect({ port: spec.port, host: '127.0.0.1', noDelay: true });
  const streams = new Map(Array.from({ length: spec.streams }, (_, at) => [2 * at + 1, { got: 0, sentAtMs: 0 }]));
  let held: Buffer = Buffer.alloc(0);
  let out = PREFACE + largestWindows();
  for (const id of streams.keys()) out += frame(HEADERS, END_HEADERS, id, head) + frame(DATA, 0, id, MESSAGE);
  socket.write(out, 'latin1');
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (!tally.over) tally.failures++;
  });
  socket.on('data', (data: Buffer) => {
    const bytes = held.length === 0 ? data : Buffer.concat([held, data]);
    const nowMs = performance.now();
    let answers = '';
    const at = readFrames(
      bytes,
      0,
      (text) => void (answers += text),
      (type, flags, id, length) => {
        const stream = streams.get(id);
        if (stream === undefined) return;
        // A reset, or an end that nobody asked for.
        if (type === RST_STREAM || (flags & END_STREAM) !== 0) tally.failures++;
        else if (type === DATA) stream.got += length;
        if (stream.got < MESSAGE.length || tally.over) return;
        if (stream.sentAtMs > 0) tally.answered(nowMs - stream.sentAtMs);
        else if (++up === spec.connections * spec.streams) tally.begin(spec.durationMs);
        stream.got -= MESSAGE.length;
        stream.sentAtMs = nowMs;
        answers += frame(DATA, 0, id, MESSAGE);
      },
    );
    held = bytes.subarray(at);
    if (answers !== '') socket.write(answers, 'latin1');
  });
}

for (let at = 0; at < spec.connections; at++) drive();
