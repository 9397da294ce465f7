import net from 'node:net';

// The cheapest server that there is: it must not be what limits a round. One answer for each head's end, 100 bytes of body;
// requests have no bodies. Usage: upstream.ts ADDRESS:PORT...
const body = 'x'.repeat(100);
const answer = Buffer.from(`HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Length: ${body.length}\r\n\r\n${body}`);

for (const where of process.argv.slice(2)) {
  const [host = '', port] = where.split(':');
  const server = net.createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      for (let at = data.indexOf('\r\n\r\n'); at >= 0; at = data.indexOf('\r\n\r\n', at + 4)) socket.write(answer);
    });
  });
  server.listen({ port: Number(port), host, backlog: 4096 });
}
process.stdout.write('ready\n');
