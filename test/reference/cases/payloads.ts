import { type Call, type Case, get, patch, post, put, table } from '../case.ts';

const maps = '/api/v1/namespaces/$ns/configmaps';
const secrets = '/api/v1/namespaces/$ns/secrets';

function map(more: object): Call {
  return post(`${maps}?dryRun=All`, { metadata: { name: 'web' }, ...more });
}

function secret(more: object): Call {
  return post(`${secrets}?dryRun=All`, { metadata: { name: 'web' }, ...more });
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const MAPS: readonly object[] = [
  {},
  { data: { a: '1', 'b.c': '2', D_e: '3' } },
  { data: { 'bad key': '1', '..x': '2', '.': '3', '': '4' } },
  { data: { a: 1 } },
  { data: { a: null } },
  { data: 'text' },
  { data: { a: '1' }, binaryData: { a: base64('x') } },
  { binaryData: { a: base64('x') } },
  { binaryData: { a: 'no base64!' } },
  { binaryData: { 'bad key': base64('x') } },
  { immutable: true, data: { a: '1' } },
  { immutable: 'yes' },
  { data: { a: 'x'.repeat(1024 * 1024 + 1) } },
];

const SECRETS: readonly object[] = [
  {},
  { data: { a: base64('1') } },
  { stringData: { a: '1' } },
  { data: { a: base64('1') }, stringData: { a: '2', b: '3' } },
  { data: { a: 'no base64!' } },
  { data: { 'bad key': base64('1') } },
  { data: { a: 5 } },
  { type: '' },
  { type: 'example.com/own', data: { a: base64('1') } },
  { type: 'kubernetes.io/tls', data: { 'tls.crt': base64('c') } },
  { type: 'kubernetes.io/tls', data: { 'tls.crt': base64('c'), 'tls.key': base64('k') } },
  { type: 'kubernetes.io/basic-auth' },
  { type: 'kubernetes.io/basic-auth', stringData: { username: 'u' } },
  { type: 'kubernetes.io/ssh-auth' },
  { type: 'kubernetes.io/dockerconfigjson' },
  { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': 'no json' } },
  { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{}' } },
  { type: 'kubernetes.io/dockercfg', stringData: { '.dockercfg': 'no json' } },
  { type: 'kubernetes.io/service-account-token' },
  { type: 'bootstrap.kubernetes.io/token', data: {} },
  { immutable: true, stringData: { a: '1' } },
];

export const payloads: readonly Case[] = [
  { name: 'configmap-data', calls: MAPS.map(map) },
  { name: 'secret-data', calls: SECRETS.map(secret) },
  {
    name: 'configmap-update',
    calls: [
      post(maps, { metadata: { name: 'web' }, data: { a: '1', b: '2' } }),
      patch('merge', `${maps}/web`, { data: { a: null, c: '3' } }),
      patch('strategic', `${maps}/web`, { data: { $patch: 'replace', only: 'x' } }),
      patch('json', `${maps}/web`, [{ op: 'add', path: '/data/x~1y', value: '1' }]),
      patch('json', `${maps}/web`, [{ op: 'copy', from: '/data/only', path: '/data/again' }]),
      patch('json', `${maps}/web`, [{ op: 'move', from: '/data/only', path: '/data/moved' }]),
      patch('json', `${maps}/web`, [{ op: 'odd', path: '/data/only' }]),
      patch('json', `${maps}/web`, { op: 'add' }),
      patch('json', `${maps}/web`, [{ op: 'replace', path: '/data', value: 'text' }]),
      patch('merge', `${maps}/web`, 'no json'),
      patch('merge', `${maps}/web`, []),
      patch('merge', `${maps}/web`, { metadata: { name: 'other' } }),
      patch('merge', `${maps}/web`, { metadata: { namespace: 'other' } }),
      patch('merge', `${maps}/web`, { metadata: { uid: '33333333-3333-4333-8333-333333333333' } }),
      patch('merge', `${maps}/web`, { metadata: { resourceVersion: '1' } }),
      patch('merge', `${maps}/web`, { metadata: { creationTimestamp: '2001-01-01T00:00:00Z', generation: 9 } }),
      patch('merge', `${maps}/web`, { kind: 'Secret' }),
      patch('merge', `${maps}/web`, { colour: 'red' }),
      patch('merge', `${maps}/web?fieldValidation=Strict`, { colour: 'red' }),
      patch('merge', `${maps}/web?dryRun=All`, { data: { dry: '1' } }),
      { ...patch('merge', `${maps}/web`, { data: { a: '1' } }), type: 'text/plain' },
      { ...patch('merge', `${maps}/web`, { data: { a: '1' } }), type: 'application/json' },
      patch('merge', `${maps}/web`, { immutable: true }),
      patch('merge', `${maps}/web`, { data: { late: '1' } }),
      patch('merge', `${maps}/web`, { immutable: false }),
      patch('merge', `${maps}/web`, { metadata: { labels: { still: 'free' } } }),
      put(`${maps}/web`, { metadata: { name: 'web' } }),
      get(`${maps}/web`),
    ],
  },
  {
    name: 'secret-update',
    calls: [
      post(secrets, { metadata: { name: 'web' }, stringData: { a: '1' } }),
      patch('merge', `${secrets}/web`, { stringData: { b: '2' } }),
      patch('merge', `${secrets}/web`, { type: 'other' }),
      put(`${secrets}/web`, { metadata: { name: 'web' }, data: { z: base64('z') } }),
      patch('strategic', `${secrets}/web`, { data: { z: null } }),
      get(`${secrets}?fieldSelector=type%3DOpaque`),
      get(`${secrets}?fieldSelector=data%3Dx`),
      patch('merge', `${secrets}/web`, { immutable: true }),
      patch('merge', `${secrets}/web`, { stringData: { late: '1' } }),
      table(secrets),
    ],
  },
  {
    name: 'serviceaccount-token',
    calls: [
      post(
        '/api/v1/namespaces/$ns/serviceaccounts/default/token',
        { spec: { audiences: ['x'] } },
        { path: '/api/v1/namespaces/$ns/serviceaccounts/none/token' },
      ),
      post('/api/v1/namespaces/$ns/serviceaccounts/default/token', {
        spec: { audiences: ['x'], expirationSeconds: 5 },
      }),
      post('/api/v1/namespaces/$ns/serviceaccounts/default/token', {
        spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'none' } },
      }),
      post('/api/v1/namespaces/$ns/serviceaccounts/default/token', {
        spec: { boundObjectRef: { kind: 'Node', apiVersion: 'v9', name: 'none' } },
      }),
    ],
  },
];
