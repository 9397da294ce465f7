import { type Case, get, patch, post, remove, table, watch } from '../case.ts';

const maps = '/api/v1/namespaces/$ns/configmaps';
const pods = '/api/v1/namespaces/$ns/pods';

const map = (name: string, labels: object = {}) => post(maps, { metadata: { name, labels }, data: { name } });

const LABEL_SELECTORS = [
  'app=a',
  'app==a',
  'app!=a',
  'app in (a,b)',
  'app notin (a)',
  'app',
  '!app',
  'app=a,tier=x',
  'app in (a',
  'app in ()',
  'app=',
  'app in (a b)',
  '=a',
  'bad key=a',
  'app=bad value',
  'n>1',
  'n>x',
  'n<3',
  ',',
  'app,',
  'app=a=b',
  'in=a',
  'notin in (x)',
  '!app=a',
  ' app = a ',
  'a/b/c=x',
  'app=-x',
  'app in (a,b!)',
  '!',
];

const FIELD_SELECTORS = [
  'metadata.name=a',
  'metadata.name!=a',
  'metadata.namespace=x',
  'metadata.name=a,metadata.name!=b',
  'data.name=a',
  'metadata.name',
  'metadata.name=a=b',
  ',',
  '=a',
  'metadata.name in (a)',
  'metadata.labels.app=a',
];

const encoded = encodeURIComponent;

export const reads: readonly Case[] = [
  {
    name: 'label-selectors',
    calls: [
      map('a', { app: 'a', tier: 'x', n: '1' }),
      map('b', { app: 'b', n: '2' }),
      map('c'),
      ...LABEL_SELECTORS.map((selector) => ({
        ...table(`${maps}?includeObject=None&labelSelector=${encoded(selector)}`),
      })),
    ],
  },
  {
    name: 'field-selectors',
    calls: [
      map('a'),
      map('b'),
      ...FIELD_SELECTORS.map((selector) => ({
        ...table(`${maps}?includeObject=None&fieldSelector=${encoded(selector)}`),
      })),
    ],
  },
  {
    name: 'list-pages',
    calls: [
      ...['a', 'b', 'c', 'd', 'e'].map((name) => map(name, { even: String(name === 'b' || name === 'd') })),
      get(`${maps}?limit=2`),
      get(`${maps}?limit=2&continue=$(5.metadata.continue)`),
      get(`${maps}?limit=2&continue=$(6.metadata.continue)`),
      get(`${maps}?limit=1&labelSelector=even%3Dtrue`),
      get(`${maps}?limit=0`),
      get(`${maps}?limit=-1`),
      get(`${maps}?limit=many`),
      get(`${maps}?continue=nonsense`),
      get(`${maps}?limit=2&continue=$(5.metadata.continue)&resourceVersion=5`),
      get(`${pods}?limit=2&continue=$(5.metadata.continue)`),
      get(`${maps}?resourceVersion=0&limit=2`),
      get(`${maps}?resourceVersion=$(1.metadata.resourceVersion)&resourceVersionMatch=Exact`),
      get(`${maps}?resourceVersion=$(1.metadata.resourceVersion)&resourceVersionMatch=NotOlderThan`),
      get(`${maps}?resourceVersion=$(1.metadata.resourceVersion)`),
      get(`${maps}?resourceVersionMatch=Exact`),
      get(`${maps}?resourceVersion=0&resourceVersionMatch=Exact`),
      get(`${maps}?resourceVersion=1&resourceVersionMatch=Odd`),
      get(`${maps}?resourceVersion=x`),
      get(`${maps}?sendInitialEvents=true`),
      get(`${maps}/a?resourceVersion=0`),
      get(`${maps}/a?resourceVersion=x`),
      { ...table(`${maps}?limit=2`) },
      table(`${maps}?includeObject=Object&limit=1`),
      table(`${maps}?includeObject=Odd`),
      { ...get(`${maps}?limit=1`), accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' },
      { ...get(maps), accept: 'text/html' },
      { ...get(maps), accept: 'application/json;as=Table;v=v9;g=meta.k8s.io' },
      { ...get(`${maps}/a`), accept: 'application/yaml' },
      get('/api/v1/configmaps?labelSelector=even%3Dnone'),
      get(`${maps}?pretty=true&labelSelector=even%3Dnone`),
    ],
  },
  {
    name: 'watch-events',
    calls: [
      map('first', { app: 'web' }),
      map('second', { app: 'other' }),
      patch('merge', `${maps}/first`, { data: { name: 'changed' } }),
      patch('merge', `${maps}/second`, { metadata: { labels: { app: 'web' } } }),
      patch('merge', `${maps}/first`, { metadata: { labels: { app: null } } }),
      remove(`${maps}/second`),
      map('last', { app: 'web' }),
      watch(`${maps}?watch=1&resourceVersion=$(0.metadata.resourceVersion)`, 6),
      watch(`${maps}?watch=1&resourceVersion=$(0.metadata.resourceVersion)&labelSelector=app%3Dweb`, 5),
      watch(`${maps}?watch=1&resourceVersion=$(0.metadata.resourceVersion)&fieldSelector=metadata.name%3Dsecond`, 3),
      watch(`${maps}?watch=1&labelSelector=app%3Dweb`, 1),
      watch(`${maps}?watch=1&resourceVersion=0&labelSelector=app%3Dweb`, 1),
      watch(`${maps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`, 3),
      get(`${maps}?watch=1&sendInitialEvents=true&timeoutSeconds=1`),
      get(`${maps}?watch=1&resourceVersionMatch=NotOlderThan&timeoutSeconds=1`),
      get(
        `${maps}?watch=1&sendInitialEvents=true&resourceVersionMatch=Exact&allowWatchBookmarks=true&timeoutSeconds=1`,
      ),
      get(`${maps}?watch=1&resourceVersion=x&timeoutSeconds=1`),
      get(`${maps}/last?watch=1&resourceVersion=$(0.metadata.resourceVersion)`),
      { ...table(`${maps}?watch=1&resourceVersion=$(0.metadata.resourceVersion)&labelSelector=app%3Dweb`), events: 3 },
      {
        ...watch(`${maps}?watch=1&resourceVersion=$(0.metadata.resourceVersion)&labelSelector=app%3Dweb`, 1),
        accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
      },
      watch(`/api/v1/watch/namespaces/$ns/configmaps?resourceVersion=$(0.metadata.resourceVersion)`, 1),
      get(`${maps}?watch=1&continue=abc&timeoutSeconds=1`),
      get(`${maps}?watch=1&limit=1&timeoutSeconds=1`),
    ],
  },
];
