import net from 'node:net';

// Sends back what it gets. Usage: tcp-upstream.ts ADDRESS:PORT...
for (const where of process.argv.slice(2)) {
  const [host = '', port] = where.split(':');
  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => void socket.write(data));
    socket.on('end', () => socket.end());
  });
  server.listen({ port: Number(port), host, backlog: 4096 });
}
process.stdout.write('ready\n');
