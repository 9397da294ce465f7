import { randomUUID } from 'node:crypto';
import http from 'node:http';
import httpProxy from 'http-proxy';

// Usage: http-proxy.ts PORT UPSTREAM-PORT...
const [port = 0, ...upstreams] = process.argv.slice(2).map(Number);
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
const proxy = httpProxy.createProxyServer({ agent, xfwd: true });
proxy.on('error', () => undefined);
let turn = 0;
http
  .createServer((request, response) => {
    request.headers['x-request-id'] ??= randomUUID();
    turn = (turn + 1) % upstreams.length;
    proxy.web(request, response, { target: `http://127.0.0.1:${upstreams[turn]}` });
  })
  .listen(port, '127.0.0.1');
