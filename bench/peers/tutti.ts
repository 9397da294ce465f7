import { parseArgs } from 'node:util';
import { systemClock } from '../../kit/clock.ts';
import { createLog } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';
import { createEngine } from '../../proxy/data-plane.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../../proxy/test-support/tables.ts';

// The engine as a sidecar has it, with retries, metrics and time-outs armed. Usage: tutti.ts [--http2] PORT UPSTREAM-PORT...
const { values, positionals } = parseArgs({ allowPositionals: true, options: { http2: { type: 'boolean' } } });
const [port = 0, ...upstreams] = positionals.map(Number);
const engine = createEngine({
  clock: systemClock(),
  random: systemRandom(),
  log: createLog({ level: 'info', format: 'text' }),
  accessLog: undefined,
});
const retry = {
  retries: 2,
  on: ['connect-failure', 'reset-before-request', 'reset'],
  statuses: [503],
  backoffBaseMs: 25,
  backoffMaxMs: 250,
} as const;
const problems = await engine.apply(
  tables(
    [listener('bench', 'bench', { port, direction: 'outbound' }, { accessLog: false })],
    [routeTable('bench', [route(forward('app', { retry }), { path: { kind: 'prefix', value: '/' } })])],
    [cluster('app', upstreams, { protocol: values.http2 === true ? 'http2' : 'http1' })],
  ),
);
if (problems.length > 0) throw new Error(JSON.stringify(problems));
