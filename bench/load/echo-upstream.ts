import { createHash } from 'node:crypto';
import net from 'node:net';
import { FRAME_BYTES, MASKED_HEAD_BYTES, PAYLOAD_BYTES } from './frame.ts';

// A WebSocket server that sends back each of the load's messages, which are all of one length and masked with zeros.
// Usage: echo-upstream.ts ADDRESS:PORT...
const ACCEPT = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const UNMASKED_HEAD = Buffer.from([0x82, PAYLOAD_BYTES]);

for (const where of process.argv.slice(2)) {
  const [host = '', port] = where.split(':');
  const server = net.createServer({ noDelay: true }, (socket) => {
    let open = false;
    let held: Buffer = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      let bytes = held.length === 0 ? data : Buffer.concat([held, data]);
      if (!open) {
        const end = bytes.indexOf('\r\n\r\n');
        if (end < 0) {
          held = bytes;
          return;
        }
        const key = /sec-websocket-key: (\S+)/i.exec(bytes.toString('latin1', 0, end + 2))?.[1] ?? '';
        const accept = createHash('sha1')
          .update(key + ACCEPT)
          .digest('base64');
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        );
        open = true;
        bytes = bytes.subarray(end + 4);
      }
      while (bytes.length >= FRAME_BYTES) {
        socket.write(Buffer.concat([UNMASKED_HEAD, bytes.subarray(MASKED_HEAD_BYTES, FRAME_BYTES)]));
        bytes = bytes.subarray(FRAME_BYTES);
      }
      held = bytes;
    });
  });
  server.listen({ port: Number(port), host, backlog: 4096 });
}
process.stdout.write('ready\n');
