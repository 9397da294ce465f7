import { HttpConnectionManager, Listener, Router } from '../../../../xds/messages.js';
import { makeResource, type Resource } from '../../resource.ts';
import { packAny } from '../any.ts';

/** What a client asks for by the name of its target (`xds:///NAME`), and gets its route table by (gRFC A27, LDS). */
export function grpcListener(name: string, routeTable: string): Resource {
  const apiListener = packAny(HttpConnectionManager, {
    statPrefix: 'grpc',
    rds: { routeConfigName: routeTable, configSource: { ads: {}, resourceApiVersion: 2 } },
    // The last filter, and only the last, is the router (gRFC A39).
    httpFilters: [{ name: 'router', typedConfig: packAny(Router, {}) }],
  });
  return makeResource('listener', Listener, { name, apiListener: { apiListener } });
}
