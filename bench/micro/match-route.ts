import { seededRandom } from '../../kit/random.ts';
import { RequestHead } from '../../proxy/http1/request-head.ts';
import { CompiledRouteTable } from '../../proxy/route/compiled-route-table.ts';
import type { RouteMatch } from '../../proxy/route/route-table.ts';
import { scanText } from '../../proxy/test-support/scan-text.ts';
import { forward, route, routeTable } from '../../proxy/test-support/tables.ts';
import type { Micro, Operation } from './measure.ts';
import { REQUEST } from './sample.ts';

const ROUTES = 50;

/** The last route takes the request. */
function asking(match: (at: number) => Partial<RouteMatch>): Operation {
  const routes = Array.from({ length: ROUTES }, (_, at) => route(forward('app'), match(at), { name: `route-${at}` }));
  const table = new CompiledRouteTable(routeTable('table', routes, ['shop.example']), undefined, seededRandom(1));
  const head = new RequestHead();
  scanText(head, REQUEST);
  return { run: () => table.find(head, head.authority, 80) };
}

export const matchRoutePath: Micro = {
  name: 'match-route-path',
  about: `the last of ${ROUTES} routes by path prefix`,
  prepare: () => asking((at) => ({ path: { kind: 'prefix', value: at === ROUTES - 1 ? '/api' : `/service-${at}` } })),
};

export const matchRouteHeader: Micro = {
  name: 'match-route-header',
  about: `the last of ${ROUTES} routes by a header's value`,
  prepare: () =>
    asking((at) => ({
      headers: [{ name: 'accept', kind: 'exact', value: at === ROUTES - 1 ? 'application/json' : `text/${at}` }],
    })),
};
