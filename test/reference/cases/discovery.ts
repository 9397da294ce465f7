import { type Case, get } from '../case.ts';

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** What clients ask before anything else. */
export const discovery: readonly Case[] = [
  {
    name: 'discovery-legacy',
    calls: [
      '/api',
      '/api/v1',
      '/apis',
      '/apis/apps',
      '/apis/apps/v1',
      '/apis/coordination.k8s.io/v1',
      '/apis/discovery.k8s.io/v1',
      '/apis/authentication.k8s.io/v1',
      '/apis/authorization.k8s.io/v1',
      '/apis/gateway.networking.k8s.io',
      '/apis/gateway.networking.k8s.io/v1',
    ].map((path) => get(path)),
  },
  {
    name: 'discovery-aggregated',
    calls: [
      { ...get('/api'), accept: AGGREGATED },
      { ...get('/apis'), accept: AGGREGATED },
    ],
  },
];
