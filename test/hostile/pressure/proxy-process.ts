import { once } from 'node:events';
import { startEngine } from '../../../proxy/test-support/harness.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../../../proxy/test-support/tables.ts';

// An ingress as a process of its own, so that its memory and time can be measured. Usage: proxy-process.ts UPSTREAM-PORT
// HEADER-TIMEOUT-MS MAX-REQUESTS; prints its port, and ends with its input.
const [upstream = 0, headerTimeoutMs = 10_000, maxRequests = 1024] = process.argv.slice(2).map(Number);
const http = { headerTimeoutMs, accessLog: false };
await using running = await startEngine({
  tables: tables(
    [listener('edge', 't', {}, http)],
    [routeTable('t', [route(forward('app'))])],
    [cluster('app', [upstream], { maxRequests })],
  ),
});
process.stdout.write(`${running.port('edge')}\n`);
process.stdin.resume();
await once(process.stdin, 'end');
