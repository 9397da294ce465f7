import type { Random } from '../../kit/random.ts';
import { type Cors, compileCors } from './cors.ts';
import { type CompiledEdits, compileEdits } from './header-edits.ts';
import { compileMatch, type Matcher, type RoutedRequest } from './match.ts';
import { DomainIndex } from './match-domain.ts';
import type { Route, RouteTable, VirtualHost } from './route-table.ts';
import { Split } from './split.ts';

/** A route ready to be asked. Its split goes on where the same route of the table before stood. */
export interface CompiledRoute {
  readonly route: Route;
  readonly matches: Matcher;
  readonly split: Split;
  readonly weights: readonly number[];
  readonly weightSum: number;
  /** By index of the action's clusters: the route's and the cluster's edits together. */
  readonly requestEdits: readonly (CompiledEdits | undefined)[];
  readonly responseEdits: CompiledEdits | undefined;
  readonly cors: Cors | undefined;
}

interface CompiledHost {
  readonly name: string;
  readonly routes: readonly CompiledRoute[];
}

export class CompiledRouteTable {
  readonly table: RouteTable;
  readonly #domains = new DomainIndex<CompiledHost>();
  readonly #splits = new Map<string, Split>();

  /** Throws when a regular expression is not RE2's; then nothing of the table is used. */
  constructor(table: RouteTable, before: CompiledRouteTable | undefined, random: Random) {
    this.table = table;
    for (const host of table.virtualHosts) {
      const compiled = {
        name: host.name,
        routes: host.routes.map((route) => this.#compile(host, route, before, random)),
      };
      for (const domain of host.domains) this.#domains.add(domain, compiled);
    }
  }

  /** The first route of the authority's virtual host that takes the request. */
  find(request: RoutedRequest, authority: string, listenerPort: number): CompiledRoute | undefined {
    const routes = this.#domains.find(authority, listenerPort)?.routes;
    if (routes === undefined) return undefined;
    for (const route of routes) if (route.matches(request)) return route;
    return undefined;
  }

  /** The first route that takes CONNECT, as `find`. The port within the authority is the target's, which hosts' names need not have. */
  findConnect(request: RoutedRequest, authority: string, ownPort: number): CompiledRoute | undefined {
    return this.routesOf(authority, ownPort).find(
      (found) => found.route.action.kind === 'connect' && found.matches(request),
    );
  }

  /** The routes of an authority's virtual host: what CONNECT needs to know before there is a request. */
  routesOf(authority: string, listenerPort: number): readonly CompiledRoute[] {
    return this.#domains.find(authority, listenerPort)?.routes ?? [];
  }

  /** For the table that comes after this one. */
  splitOf(key: string): Split | undefined {
    return this.#splits.get(key);
  }

  #compile(host: VirtualHost, route: Route, before: CompiledRouteTable | undefined, random: Random): CompiledRoute {
    const key = `${host.name}\n${route.name}`;
    const split = this.#splits.get(key) ?? before?.splitOf(key) ?? new Split(random());
    this.#splits.set(key, split);
    const clusters = 'clusters' in route.action ? route.action.clusters : [];
    const weights = clusters.map((cluster) => cluster.weight);
    const responseEdits = compileEdits(route.responseHeaders);
    return {
      route,
      matches: compileMatch(route.match),
      split,
      weights,
      weightSum: weights.reduce((sum, weight) => sum + weight, 0),
      requestEdits: clusters.map((cluster) => compileEdits(route.requestHeaders, cluster.requestHeaders)),
      responseEdits,
      cors: route.cors === undefined ? undefined : compileCors(route.cors, responseEdits),
    };
  }
}
