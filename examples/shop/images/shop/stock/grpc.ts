// gRPC's wire for calls of one request and one answer, on node:http2
// (github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';

export type Method = (request: Buffer) => Buffer;

const UNIMPLEMENTED = 12;
const INTERNAL = 13;
const MAX_REQUEST_BYTES = 64 * 1024;
// A byte that says "not compressed", and the length in four.
const PREFIX_BYTES = 5;

/** Methods by path: `/shop.Stock/Count`. */
export function createGrpcServer(methods: Readonly<Record<string, Method>>): Http2Server {
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined);
    const method = methods[headers[':path'] ?? ''];
    if (method === undefined) {
      end(stream, UNIMPLEMENTED, `no such method: ${headers[':path'] ?? ''}`);
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_REQUEST_BYTES) stream.close();
      else chunks.push(chunk);
    });
    stream.on('end', () => {
      if (stream.closed) return;
      try {
        answer(stream, method(Buffer.concat(chunks).subarray(PREFIX_BYTES)));
      } catch (error) {
        end(stream, INTERNAL, error instanceof Error ? error.message : 'failed');
      }
    });
  });
  return server;
}

function answer(stream: ServerHttp2Stream, message: Buffer): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([prefix, message]));
}

/** Without a message: one block of headers that are trailers too. */
function end(stream: ServerHttp2Stream, code: number, message: string): void {
  const status = { 'grpc-status': String(code), 'grpc-message': encodeURIComponent(message) };
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...status }, { endStream: true });
}
