import net from 'node:net';

// Asks for a large body on each connection, reads a piece of it, and stops reading. Prints when all have stopped; ends when
// standard input does. Usage: slow-readers.ts PORT CONNECTIONS
const [port = 0, connections = 0] = process.argv.slice(2).map(Number);
const BODY_BYTES = 100 * 1024 * 1024;
const READ_BYTES = 256 * 1024;
let stopped = 0;

for (let at = 0; at < connections; at++) {
  let got = 0;
  const socket = net.connect({ port, host: '127.0.0.1' }, () => {
    socket.write(`GET /${BODY_BYTES} HTTP/1.1\r\nHost: bench.internal\r\n\r\n`);
  });
  socket.on('data', (data) => {
    got += data.length;
    if (got < READ_BYTES || socket.isPaused()) return;
    socket.pause();
    if (++stopped === connections) process.stdout.write(`${stopped}\n`);
  });
  socket.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
}
process.stdin.resume().on('end', () => process.exit());
