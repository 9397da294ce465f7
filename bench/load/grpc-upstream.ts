import net from 'node:net';

// The cheapest gRPC server that there is: it must not be what limits a round. Each call, once it has ended, is answered with a
// message of 100 bytes and trailers; what the call says is not looked at. Usage: grpc-upstream.ts ADDRESS:PORT...
const [DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE] = [0, 1, 4, 6, 8];
const [END_STREAM, ACK, END_HEADERS] = [1, 1, 4];
const PREFACE_BYTES = 24;
const MESSAGE_BYTES = 100;

function frame(type: number, flags: number, streamId: number, payload: string): string {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return head.toString('latin1') + payload;
}

const literal = (name: string, value: string): string =>
  `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`;
const head = `\x88${literal('content-type', 'application/grpc')}`;
const message = `\0\0\0\0${String.fromCharCode(MESSAGE_BYTES)}${'x'.repeat(MESSAGE_BYTES)}`;
const trailers = literal('grpc-status', '0');

function answer(streamId: number): string {
  return (
    frame(HEADERS, END_HEADERS, streamId, head) +
    frame(DATA, 0, streamId, message) +
    frame(HEADERS, END_HEADERS | END_STREAM, streamId, trailers)
  );
}

/** What the bytes of one connection are answered with; returns the offset behind the last whole frame. */
function read(bytes: Buffer, start: number, write: (text: string) => void): number {
  let at = start;
  let taken = 0;
  let out = '';
  while (at + 9 <= bytes.length && at + 9 + bytes.readUIntBE(at, 3) <= bytes.length) {
    const length = bytes.readUIntBE(at, 3);
    const [type = 0, flags = 0] = bytes.subarray(at + 3, at + 5);
    const streamId = bytes.readUInt32BE(at + 5);
    if (type === DATA) taken += length;
    if ((type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0) out += answer(streamId);
    else if (type === SETTINGS && (flags & ACK) === 0) out += frame(SETTINGS, ACK, 0, '');
    else if (type === PING && (flags & ACK) === 0)
      out += frame(PING, ACK, 0, bytes.toString('latin1', at + 9, at + 17));
    at += 9 + length;
  }
  if (taken > 0) {
    const increment = Buffer.alloc(4);
    increment.writeUInt32BE(taken);
    out += frame(WINDOW_UPDATE, 0, 0, increment.toString('latin1'));
  }
  if (out !== '') write(out);
  return at;
}

for (const where of process.argv.slice(2)) {
  const [host = '', port] = where.split(':');
  const server = net.createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.write(frame(SETTINGS, 0, 0, ''), 'latin1');
    let held: Buffer = Buffer.alloc(0);
    let skip = PREFACE_BYTES;
    socket.on('data', (data: Buffer) => {
      const bytes = held.length === 0 ? data : Buffer.concat([held, data]);
      if (bytes.length < skip) {
        held = bytes;
        return;
      }
      const at = read(bytes, skip, (text) => void socket.write(text, 'latin1'));
      skip = 0;
      held = bytes.subarray(at);
    });
  });
  server.listen(Number(port), host);
}
process.stdout.write('ready\n');
