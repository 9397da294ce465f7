import net from 'node:net';

// Opens connections, asks once on each, and leaves them open. Prints how many there are when all are; ends when standard input
// does. Usage: idle-connections.ts PORT CONNECTIONS
const [port = 0, connections = 0] = process.argv.slice(2).map(Number);
/** So many at once: the proxy's connections to the upstreams, which are not what is counted, stay few. */
const AT_ONCE = 20;
const request = 'GET / HTTP/1.1\r\nHost: bench.internal\r\n\r\n';
const sockets: net.Socket[] = [];

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    sockets.push(socket);
    socket.on('connect', () => socket.write(request));
    socket.on('data', () => resolve());
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`connection ${sockets.length} was closed`)));
  });
}

async function worker(): Promise<void> {
  while (sockets.length < connections) await open();
}

try {
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  process.stdout.write(`${sockets.length}\n`);
  process.stdin.resume().on('end', () => process.exit());
} catch (error) {
  process.stderr.write(`${sockets.length} of ${connections} connections: ${(error as Error).message}\n`);
  process.exit(1);
}
