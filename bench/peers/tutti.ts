import { systemClock } from '../../kit/clock.ts';
import { createLog } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';
import { createEngine } from '../../proxy/data-plane.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../../proxy/test-support/tables.ts';

// The engine as a sidecar has it, with retries, metrics and time-outs armed. Usage: tutti.ts PORT UPSTREAM-PORT...
const [port = 0, ...upstreams] = process.argv.slice(2).map(Number);
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
    [cluster('app', upstreams)],
  ),
);
if (problems.length > 0) throw new Error(JSON.stringify(problems));
