import { type Call, type Case, get, patch, post, put, table } from '../case.ts';

const API = '/apis/gateway.networking.k8s.io/v1';
const classes = `${API}/gatewayclasses`;
const gateways = `${API}/namespaces/$ns/gateways`;
const routes = `${API}/namespaces/$ns/httproutes`;
const GROUP = { apiVersion: 'gateway.networking.k8s.io/v1' };

function gateway(spec: object): Call {
  const body = { ...GROUP, kind: 'Gateway', metadata: { name: 'edge' }, spec: { gatewayClassName: 'tutti', ...spec } };
  return post(`${gateways}?dryRun=All`, body);
}

function listener(more: object): Call {
  return gateway({ listeners: [{ name: 'http', protocol: 'HTTP', port: 80, ...more }] });
}

function route(spec: unknown): Call {
  return post(`${routes}?dryRun=All`, { ...GROUP, kind: 'HTTPRoute', metadata: { name: 'web' }, spec });
}

const parentRefs = [{ name: 'edge' }];
const backendRefs = [{ name: 'web', port: 80 }];

function rule(more: object): Call {
  return route({ parentRefs, rules: [{ backendRefs, ...more }] });
}

const LISTENERS: readonly object[] = [
  {},
  { hostname: 'shop.example' },
  { hostname: '*.shop.example' },
  { hostname: 'Bad_Host' },
  { hostname: '10.0.0.1' },
  { port: 0 },
  { port: 70_000 },
  { port: '80' },
  { protocol: 'bad protocol' },
  { protocol: 'example.com/own' },
  { name: 'Bad_Name' },
  { name: '' },
  { protocol: 'HTTPS', port: 443 },
  { protocol: 'HTTPS', port: 443, tls: {} },
  { protocol: 'HTTPS', port: 443, tls: { certificateRefs: [{ name: 'cert' }] } },
  { protocol: 'HTTPS', port: 443, tls: { mode: 'Passthrough' } },
  { protocol: 'HTTPS', port: 443, tls: { mode: 'Odd', certificateRefs: [{}] } },
  { protocol: 'TLS', port: 443, tls: { mode: 'Passthrough' } },
  { protocol: 'TLS', port: 443 },
  { protocol: 'TCP', hostname: 'shop.example' },
  { tls: { certificateRefs: [{ name: 'cert' }] } },
  { allowedRoutes: { namespaces: { from: 'All' } } },
  { allowedRoutes: { namespaces: { from: 'Odd' } } },
  { allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: { a: 'b' } } } } },
  { allowedRoutes: { kinds: [{ kind: 'HTTPRoute' }] } },
];

const GATEWAYS: readonly object[] = [
  {},
  { listeners: [] },
  { gatewayClassName: '', listeners: [{ name: 'a', protocol: 'HTTP', port: 80 }] },
  {
    listeners: [
      { name: 'a', protocol: 'HTTP', port: 80 },
      { name: 'a', protocol: 'HTTP', port: 81 },
    ],
  },
  {
    listeners: [
      { name: 'a', protocol: 'HTTP', port: 80 },
      { name: 'b', protocol: 'HTTP', port: 80 },
    ],
  },
  {
    listeners: [
      { name: 'a', protocol: 'HTTP', port: 80, hostname: 'a.b' },
      { name: 'b', protocol: 'HTTP', port: 80, hostname: 'c.d' },
    ],
  },
  { listeners: [{ name: 'a', protocol: 'HTTP', port: 80 }], addresses: [{ value: '10.0.0.1' }] },
  {
    listeners: [{ name: 'a', protocol: 'HTTP', port: 80 }],
    addresses: [{ type: 'Hostname', value: 'shop.example' }, { value: 'nowhere' }],
  },
  {
    listeners: [{ name: 'a', protocol: 'HTTP', port: 80 }],
    infrastructure: { labels: { a: 'b' }, annotations: { c: 'd' } },
  },
  { listeners: 'text' },
];

const MATCHES: readonly object[] = [
  {},
  { path: {} },
  { path: { value: '/shop' } },
  { path: { type: 'Exact', value: '/shop' } },
  { path: { type: 'RegularExpression', value: '/a.*' } },
  { path: { type: 'Odd', value: '/' } },
  { path: { value: 'shop' } },
  { path: { value: '/a//b' } },
  { path: { value: '/a/../b' } },
  { path: { value: '/a/..' } },
  { path: { value: '/a%2fb' } },
  { path: { value: '/a#b' } },
  { path: { value: '/a b' } },
  { path: { value: `/${'x'.repeat(1024)}` } },
  { headers: [{ name: 'X-A', value: 'b' }] },
  {
    headers: [
      { name: 'X-A', value: 'b' },
      { name: 'X-A', value: 'c' },
    ],
  },
  {
    headers: [
      { name: 'X-A', value: 'b' },
      { name: 'x-a', value: 'c' },
    ],
  },
  { headers: [{ name: 'bad header', value: 'b' }] },
  { headers: [{ name: 'X-A' }] },
  { headers: [{ name: 'X-A', type: 'RegularExpression', value: 'b.*' }] },
  { headers: [{ name: 'X-A', type: 'Odd', value: 'b' }] },
  { queryParams: [{ name: 'a', value: 'b' }] },
  {
    queryParams: [
      { name: 'a', value: 'b' },
      { name: 'a', value: 'c' },
    ],
  },
  { method: 'GET' },
  { method: 'get' },
];

const FILTERS: readonly object[] = [
  {
    type: 'RequestHeaderModifier',
    requestHeaderModifier: { set: [{ name: 'a', value: 'b' }], add: [{ name: 'c', value: 'd' }], remove: ['e'] },
  },
  {
    type: 'RequestHeaderModifier',
    requestHeaderModifier: {
      set: [
        { name: 'a', value: 'b' },
        { name: 'a', value: 'c' },
      ],
    },
  },
  { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'bad header', value: '' }] } },
  { type: 'RequestHeaderModifier' },
  { type: 'ResponseHeaderModifier', requestHeaderModifier: { remove: ['a'] } },
  { type: 'ResponseHeaderModifier', responseHeaderModifier: { remove: ['a'] } },
  { type: 'URLRewrite', urlRewrite: { hostname: 'shop.example' } },
  { type: 'URLRewrite', urlRewrite: { hostname: 'Bad_Host' } },
  { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } } },
  { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath: '/x' } } },
  { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath', replacePrefixMatch: '/x' } } },
  { type: 'URLRewrite', urlRewrite: { path: { type: 'Odd' } } },
  { type: 'RequestMirror', requestMirror: { backendRef: { name: 'web', port: 80 } } },
  { type: 'RequestMirror', requestMirror: { backendRef: { name: 'web', port: 80 }, percent: 50 } },
  { type: 'RequestMirror', requestMirror: { backendRef: { name: 'web' } } },
  { type: 'RequestMirror', requestMirror: { backendRef: { name: 'web', port: 80 }, percent: 101 } },
  {
    type: 'RequestMirror',
    requestMirror: { backendRef: { name: 'web', port: 80 }, percent: 5, fraction: { numerator: 1 } },
  },
  { type: 'RequestMirror', requestMirror: { backendRef: { name: 'web', port: 80 }, fraction: { numerator: 1 } } },
  { type: 'ExtensionRef', extensionRef: { group: 'a.b', kind: 'C', name: 'd' } },
  { type: 'CORS', cors: { allowOrigins: ['https://shop.example'] } },
  { type: 'CORS', cors: {} },
  { type: 'Odd' },
  {},
];

const REDIRECTS: readonly object[] = [
  {},
  { scheme: 'https' },
  { scheme: 'ftp' },
  { scheme: 'https', statusCode: 301, port: 443, hostname: 'shop.example' },
  { statusCode: 404 },
  { statusCode: 307 },
  { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/x' } },
];

const BACKENDS: readonly object[] = [
  { name: 'web', port: 80, weight: 0 },
  { name: 'web', port: 80, weight: -1 },
  { name: 'web', port: 80, weight: 1_000_001 },
  { name: 'web' },
  { port: 80 },
  { name: '', port: 80 },
  { name: 'web', port: 0 },
  { name: 'web', port: 80, namespace: 'other' },
  { name: 'web', port: 80, namespace: 'Bad_Namespace' },
  { name: 'web', kind: 'Other', group: 'example.com' },
  { name: 'web', kind: 'bad kind', group: 'Bad_Group', port: 80 },
  { name: 'web', port: 80, filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['a'] } }] },
  { name: 'web', port: 80, filters: [{ type: 'URLRewrite' }] },
];

const RULES: readonly object[] = [
  { name: 'first' },
  { name: 'Bad_Name' },
  { timeouts: { request: '10s', backendRequest: '1s' } },
  { timeouts: { request: '1s', backendRequest: '10s' } },
  { timeouts: { request: '0s', backendRequest: '10s' } },
  { timeouts: { request: '1.5s' } },
  { timeouts: { request: 'long' } },
  { timeouts: { request: '1h2m3s4ms' } },
  { timeouts: {} },
  { retry: { codes: [500, 503], attempts: 2, backoff: '100ms' } },
  { retry: { codes: [200] } },
  { sessionPersistence: {} },
  { sessionPersistence: { sessionName: 's', type: 'Header', absoluteTimeout: '1h' } },
  { sessionPersistence: { sessionName: 's', type: 'Cookie', cookieConfig: { lifetimeType: 'Permanent' } } },
  { matches: [] },
  { backendRefs: [] },
  { filters: [] },
  { matches: Array.from({ length: 65 }, () => ({})) },
  {
    filters: [
      { type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['a'] } },
      { type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['b'] } },
    ],
  },
  {
    backendRefs: [],
    filters: [
      { type: 'RequestRedirect', requestRedirect: {} },
      { type: 'URLRewrite', urlRewrite: { hostname: 'a.b' } },
    ],
  },
  {
    matches: [{ path: { value: '/a' } }, { path: { value: '/b' } }],
    filters: [{ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } } }],
  },
];

const ROUTES: readonly unknown[] = [
  {},
  null,
  { parentRefs },
  { parentRefs: [{ name: 'edge', sectionName: 'http', port: 80 }] },
  { parentRefs: [{ name: 'edge' }, { name: 'edge' }] },
  {
    parentRefs: [
      { name: 'edge', sectionName: 'a' },
      { name: 'edge', sectionName: 'b' },
    ],
  },
  { parentRefs: [{ name: 'edge', sectionName: 'a' }, { name: 'edge' }] },
  {
    parentRefs: [
      { name: 'edge', sectionName: 'a' },
      { name: 'edge', sectionName: 'a' },
    ],
  },
  { parentRefs: [{ name: 'web', kind: 'Service', group: '', port: 80 }] },
  { parentRefs: [{}] },
  { parentRefs: [{ name: 'edge', port: 0, namespace: 'Bad_Namespace' }] },
  { parentRefs: Array.from({ length: 33 }, (_, index) => ({ name: `edge-${index}` })) },
  { hostnames: ['shop.example', '*.shop.example'] },
  { hostnames: ['Bad_Host'] },
  { hostnames: ['*'] },
  { hostnames: Array.from({ length: 17 }, (_, index) => `h${index}.example`) },
  { rules: [] },
  { rules: [{}] },
  { rules: [{ name: 'a' }, { name: 'a' }] },
  { rules: Array.from({ length: 17 }, () => ({})) },
  { rules: 'text' },
  { bogus: 1 },
];

const condition = {
  type: 'Accepted',
  status: 'True',
  reason: 'Accepted',
  message: '',
  lastTransitionTime: '2020-01-02T03:04:05Z',
  observedGeneration: 1,
};
const parent = { parentRef: { name: 'edge' }, controllerName: 'example.com/controller', conditions: [condition] };

export const gatewayApi: readonly Case[] = [
  { name: 'gateway-listener', calls: LISTENERS.map(listener) },
  { name: 'gateway-spec', calls: GATEWAYS.map(gateway) },
  { name: 'route-spec', calls: ROUTES.map(route) },
  { name: 'route-match', calls: MATCHES.map((match) => rule({ matches: [match] })) },
  { name: 'route-filter', calls: FILTERS.map((filter) => rule({ filters: [filter] })) },
  {
    name: 'route-redirect',
    calls: [
      ...REDIRECTS.map((redirect) =>
        rule({ filters: [{ type: 'RequestRedirect', requestRedirect: redirect }], backendRefs: undefined }),
      ),
      rule({ filters: [{ type: 'RequestRedirect', requestRedirect: {} }] }),
    ],
  },
  { name: 'route-backend', calls: BACKENDS.map((backend) => rule({ backendRefs: [backend] })) },
  { name: 'route-rule', calls: RULES.map(rule) },
  {
    name: 'gatewayclass-life',
    calls: [
      post(classes, {
        ...GROUP,
        kind: 'GatewayClass',
        metadata: { name: 'gatewayclass-life' },
        spec: { controllerName: 'example.com/c', description: 'for tests' },
      }),
      post(classes, {
        ...GROUP,
        kind: 'GatewayClass',
        metadata: { name: 'gatewayclass-bad' },
        spec: { controllerName: 'no path' },
      }),
      post(classes, { ...GROUP, kind: 'GatewayClass', metadata: { name: 'gatewayclass-bad' }, spec: {} }),
      post(classes, { ...GROUP, kind: 'GatewayClass', metadata: { name: 'gatewayclass-bad' } }),
      post(classes, {
        ...GROUP,
        kind: 'GatewayClass',
        metadata: { name: 'gatewayclass-bad' },
        spec: { controllerName: 'example.com/c', description: 'x'.repeat(65) },
      }),
      patch('merge', `${classes}/gatewayclass-life`, { spec: { controllerName: 'example.com/d' } }),
      patch('merge', `${classes}/gatewayclass-life/status`, { status: { conditions: [condition] } }),
      table(`${classes}/gatewayclass-life`),
    ],
  },
  {
    name: 'gateway-life',
    calls: [
      post(gateways, {
        ...GROUP,
        kind: 'Gateway',
        metadata: { name: 'edge' },
        spec: { gatewayClassName: 'tutti', listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }] },
      }),
      patch('merge', `${gateways}/edge`, { spec: { listeners: [{ name: 'http', protocol: 'HTTP', port: 81 }] } }),
      patch('merge', `${gateways}/edge`, { status: { addresses: [{ value: '10.0.0.1' }] } }),
      patch('merge', `${gateways}/edge/status`, {
        status: {
          addresses: [{ type: 'IPAddress', value: '10.0.0.1' }],
          conditions: [{ ...condition, type: 'Programmed' }],
        },
      }),
      patch('strategic', `${gateways}/edge`, { spec: {} }),
      table(gateways),
      put(`${gateways}/edge`, {
        ...GROUP,
        kind: 'Gateway',
        metadata: { name: 'edge' },
        spec: { gatewayClassName: 'tutti', listeners: [{ name: 'http', protocol: 'HTTP', port: 80 }] },
      }),
      get(`${gateways}/edge`),
    ],
  },
  {
    name: 'route-life',
    calls: [
      post(routes, {
        ...GROUP,
        kind: 'HTTPRoute',
        metadata: { name: 'web' },
        spec: { parentRefs, hostnames: ['shop.example', 'x.example'], rules: [{ backendRefs }] },
      }),
      patch('merge', `${routes}/web`, {
        spec: {
          rules: [
            {
              backendRefs: [
                { name: 'web', port: 80, weight: 9 },
                { name: 'web-v2', port: 80, weight: 1 },
              ],
            },
          ],
        },
      }),
      patch('json', `${routes}/web`, [{ op: 'replace', path: '/spec/rules/0/backendRefs/0/weight', value: 5 }]),
      patch('json', `${routes}/web`, [{ op: 'remove', path: '/spec/rules/0/backendRefs/7' }]),
      patch('merge', `${routes}/web/status`, { status: { parents: [parent] } }),
      patch('merge', `${routes}/web/status`, { status: { parents: [{ ...parent, controllerName: 'no path' }] } }),
      patch('merge', `${routes}/web`, { status: { parents: [] } }),
      table(routes),
      get(`${routes}/web`),
      get(`${routes}?fieldSelector=metadata.name%3Dweb`),
      get(`${routes}?fieldSelector=spec.hostnames%3Dweb`),
      get(`${routes}/web/scale`),
    ],
  },
];
