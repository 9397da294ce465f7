import http2 from 'node:http2';

// A gRPC server as cheap as node:http2 makes one: every call is answered with the message that it brought, and trailers.
// Usage: http2-upstream.ts PORT...
for (const port of process.argv.slice(2)) {
  const server = http2.createServer({ settings: { maxConcurrentStreams: 1000 } });
  server.on('stream', (stream: http2.ServerHttp2Stream) => {
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    const pieces: Buffer[] = [];
    stream.on('data', (data: Buffer) => void pieces.push(data));
    stream.on('end', () => stream.end(Buffer.concat(pieces)));
  });
  server.listen(Number(port), '127.0.0.1');
}
process.stdout.write('ready\n');
