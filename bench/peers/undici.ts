import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { Pool } from 'undici';

// undici's dispatcher behind node:http, as a proxy is written in an afternoon. Usage: undici.ts PORT UPSTREAM-PORT...
const [port = 0, ...upstreams] = process.argv.slice(2).map(Number);
const pools = upstreams.map(
  (upstream) => new Pool(`http://127.0.0.1:${upstream}`, { connections: 128, pipelining: 1 }),
);
let turn = 0;

http
  .createServer((request, response) => {
    const { connection: _connection, 'transfer-encoding': _encoding, ...headers } = request.headers;
    headers['x-forwarded-for'] = request.socket.remoteAddress ?? '';
    headers['x-request-id'] ??= randomUUID();
    turn = (turn + 1) % pools.length;
    const hasBody =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    pools[turn]
      ?.stream(
        { path: request.url ?? '/', method: request.method ?? 'GET', headers, body: hasBody ? request : null },
        ({ statusCode, headers: answered }) => {
          const { connection: _hop, 'keep-alive': _idle, 'transfer-encoding': _framing, ...kept } = answered;
          return response.writeHead(statusCode, kept as http.OutgoingHttpHeaders);
        },
      )
      .catch(() => response.destroy());
  })
  .listen(port, '127.0.0.1');
