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
  readFrames,
  windowUpdate,
} from './http2-frames.ts';

// The cheapest gRPC server that there is: it must not be what limits a round. What calls say is not looked at. A call is answered with
// a message of 100 bytes and trailers once it has ended; with `--echo`, with a head at once and a message for each that comes.
// Usage: grpc-upstream.ts [--echo] ADDRESS:PORT...
const head = `\x88${field('content-type', 'application/grpc')}`;
const trailers = field('grpc-status', '0');
const words = process.argv.slice(2);
const echoes = words[0] === '--echo';

/** What a frame is answered with. */
type Answer = (type: number, flags: number, streamId: number, length: number) => string;

function unary(): Answer {
  return (type, flags, streamId) => {
    if ((type !== DATA && type !== HEADERS) || (flags & END_STREAM) === 0) return '';
    return (
      frame(HEADERS, END_HEADERS, streamId, head) +
      frame(DATA, 0, streamId, MESSAGE) +
      frame(HEADERS, END_HEADERS | END_STREAM, streamId, trailers)
    );
  };
}

/** A message may come in pieces, and several in one. */
function echo(): Answer {
  const partial = new Map<number, number>();
  return (type, _flags, streamId, length) => {
    if (type === HEADERS) return frame(HEADERS, END_HEADERS, streamId, head);
    if (type !== DATA) return '';
    const got = (partial.get(streamId) ?? 0) + length;
    partial.set(streamId, got % MESSAGE.length);
    return frame(DATA, 0, streamId, MESSAGE).repeat(Math.floor(got / MESSAGE.length));
  };
}

for (const where of words.slice(echoes ? 1 : 0)) {
  const [host = '', port] = where.split(':');
  const server = net.createServer((socket) => {
    const answer = echoes ? echo() : unary();
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.write(largestWindows(), 'latin1');
    let held: Buffer = Buffer.alloc(0);
    let skip = PREFACE.length;
    let out = '';
    let taken = 0;
    const write = (text: string): void => void (out += text);
    socket.on('data', (data: Buffer) => {
      const bytes = held.length === 0 ? data : Buffer.concat([held, data]);
      if (bytes.length < skip) {
        held = bytes;
        return;
      }
      const at = readFrames(bytes, skip, write, (type, flags, streamId, length) => {
        if (type === DATA) taken += length;
        write(answer(type, flags, streamId, length));
      });
      skip = 0;
      held = bytes.subarray(at);
      if (taken > 0) write(windowUpdate(0, taken));
      taken = 0;
      if (out !== '') socket.write(out, 'latin1');
      out = '';
    });
  });
  server.listen(Number(port), host);
}
process.stdout.write('ready\n');
