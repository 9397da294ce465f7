import { type Call, type Case, get, patch, post, remove } from '../case.ts';
import { workloadSpec } from './drafts.ts';

/* Server-side apply: who owns what, conflicts, force, what goes when nobody owns it any more. managedFields are compared too. */

const maps = '/api/v1/namespaces/$ns/configmaps';
const services = '/api/v1/namespaces/$ns/services';
const pods = '/api/v1/namespaces/$ns/pods';
const deployments = '/apis/apps/v1/namespaces/$ns/deployments';
const routes = '/apis/gateway.networking.k8s.io/v1/namespaces/$ns/httproutes';

function apply(path: string, manager: string, body: unknown, query = ''): Call {
  return patch('apply', `${path}?fieldManager=${manager}${query}`, body);
}

const map = (data?: object, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'web', ...metadata },
  ...(data === undefined ? {} : { data }),
});

const one = `${maps}/web`;

const configMap: Case = {
  name: 'apply-configmap',
  managedFields: true,
  calls: [
    apply(one, 'first', map({ x: '1', y: '2' }, { labels: { app: 'web' } })),
    get(one),
    apply(one, 'first', map({ x: '1', y: '2' }, { labels: { app: 'web' } })),
    apply(one, 'second', map({ x: '9', z: '3' })),
    apply(one, 'second', map({ x: '9', z: '3' }), '&force=true&dryRun=All'),
    apply(one, 'second', map({ x: '9', z: '3' }), '&force=true'),
    apply(one, 'first', map({ y: '2' }, { labels: { app: 'web' } })),
    apply(one, 'second', map({ z: '3' })),
    apply(one, 'third', map({ z: '3' })),
    apply(one, 'second', map()),
    patch('merge', `${one}?fieldManager=editor`, { data: { y: '5' } }),
    apply(one, 'first', map({ y: '2' })),
    apply(one, 'first', map({ y: '5' })),
    apply(one, 'first', map({ y: '6', more: 'x' }), '&force=true'),
    patch('json', one, [{ op: 'replace', path: '/metadata/managedFields', value: [{}] }]),
    get(one),
    apply(one, 'first', map({ y: '7' })),
    patch('merge', one, { metadata: { managedFields: [] } }),
  ],
};

const refused: Case = {
  name: 'apply-refused',
  managedFields: true,
  calls: [
    patch('apply', one, map({ a: '1' })),
    patch('merge', `${one}?force=true`, { data: { a: '1' } }),
    apply(one, 'm', map({ a: '1' }), '&dryRun=All'),
    get(one),
    apply(one, 'm', { ...map({ a: '1' }), kind: 'Secret' }),
    apply(one, 'm', { metadata: { name: 'web' }, data: { a: '1' } }),
    apply(one, 'm', map({ a: '1' }, { name: 'other' })),
    apply(one, 'm', map({ a: '1' }, { namespace: 'elsewhere' })),
    apply(one, 'm', map({ a: '1' }, { managedFields: [{ manager: 'x' }] })),
    apply(one, 'm', map({ a: '1' }, { uid: '11111111-1111-4111-8111-111111111111' })),
    apply(one, 'm', map({ a: '1' }, { resourceVersion: '1' })),
    apply(one, 'm', { ...map({ a: '1' }), colour: 'red' }, '&dryRun=All'),
    apply(one, 'm', { ...map({ a: '1' }), colour: 'red' }, '&fieldValidation=Strict'),
    apply(one, 'm', '- a list\n'),
    apply(one, 'm', 'a: [1\n'),
    apply(one, 'm', ''),
    apply(one, 'm', map({ 'bad key': '1' })),
    apply(one, 'x'.repeat(129), map({ a: '1' })),
    apply(one, 'm', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  a: "1"\n'),
    apply(one, 'm', map({ a: '2' }, { resourceVersion: '$(18.metadata.resourceVersion)' })),
    apply(one, 'm', map({ a: '3' }, { resourceVersion: '$(18.metadata.resourceVersion)' })),
    remove(one),
  ],
};

const deployment = (spec: object, more: object = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  ...(Object.keys(spec).length === 0 ? {} : { spec }),
  ...more,
});

const container = (name: string, more: object = {}): object => ({ name, image: 'shop/web:v1', ...more });
const withContainers = (...containers: readonly object[]): object => workloadSpec({ containers });
const web = `${deployments}/web`;
const scale = (replicas: number): object => ({
  apiVersion: 'autoscaling/v1',
  kind: 'Scale',
  metadata: { name: 'web' },
  spec: { replicas },
});

const workload: Case = {
  name: 'apply-deployment',
  managedFields: true,
  calls: [
    apply(web, 'first', deployment(workloadSpec(undefined, { replicas: 3 }))),
    apply(web, 'second', deployment(workloadSpec(undefined, { replicas: 5 }))),
    apply(`${web}/scale`, 'scaler', scale(7)),
    apply(`${web}/scale`, 'scaler', scale(7), '&force=true'),
    apply(web, 'first', deployment(workloadSpec(undefined, { replicas: 2 }))),
    apply(web, 'second', deployment({ template: { spec: { containers: [container('side')] } } })),
    apply(web, 'first', deployment(withContainers(container('app', { env: [{ name: 'A', value: '1' }] })))),
    get(web),
    apply(web, 'first', deployment(withContainers(container('app', { ports: [{ containerPort: 80 }] })))),
    apply(
      web,
      'first',
      deployment(withContainers(container('app', { env: [{ name: 'A' }, { name: 'A', value: 'b' }] }))),
    ),
    apply(web, 'first', deployment(workloadSpec({ containers: [container('app')] }, { replicas: 2 }))),
    apply(`${web}/status`, 'controller', {
      ...deployment({}),
      status: { replicas: 1, conditions: [{ type: 'Available', status: 'True', reason: 'Some', message: 'Seen.' }] },
    }),
    apply(`${web}/status`, 'controller', {
      ...deployment({ replicas: 9 }),
      status: { conditions: [{ type: 'Progressing', status: 'True', reason: 'Some', message: 'Seen.' }] },
    }),
    patch('strategic', `${web}?fieldManager=editor`, {
      spec: { template: { spec: { containers: [{ name: 'app', image: 'shop/web:v2' }] } } },
    }),
    apply(web, 'first', deployment(withContainers(container('app')))),
    apply(web, 'second', deployment({})),
    get(web),
  ],
};

const service = (ports: readonly object[]): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { ports, selector: { app: 'web' } },
});

const serviceOne = `${services}/web`;

const servicePorts: Case = {
  name: 'apply-service',
  managedFields: true,
  calls: [
    apply(serviceOne, 'first', service([{ port: 80, name: 'http' }])),
    apply(serviceOne, 'second', service([{ port: 443, name: 'https', protocol: 'TCP' }])),
    apply(serviceOne, 'second', service([{ port: 80, name: 'other' }])),
    apply(serviceOne, 'first', service([{ port: 80, name: 'http', targetPort: 8080 }])),
    apply(serviceOne, 'first', service([])),
    get(serviceOne),
  ],
};

const GROUP = 'gateway.networking.k8s.io/v1';
const route = (spec: object): object => ({ apiVersion: GROUP, kind: 'HTTPRoute', metadata: { name: 'web' }, spec });
const backends = (weight: number): object => ({ backendRefs: [{ name: 'web', port: 80, weight }] });
const routeOne = `${routes}/web`;

const customKind: Case = {
  name: 'apply-route',
  managedFields: true,
  calls: [
    apply(routeOne, 'first', route({ parentRefs: [{ name: 'edge' }], rules: [backends(1)] })),
    apply(routeOne, 'second', route({ hostnames: ['shop.example'] })),
    apply(routeOne, 'second', route({ hostnames: ['shop.example'], rules: [backends(2)] })),
    apply(routeOne, 'second', route({ hostnames: ['shop.example'], rules: [backends(2)] }), '&force=true'),
    apply(routeOne, 'first', route({ parentRefs: [{ name: 'edge' }] })),
    apply(routeOne, 'first', route({ parentRefs: [{ name: 'Edge', port: 0 }] })),
    get(routeOne),
  ],
};

const pod: Case = {
  name: 'apply-pod',
  managedFields: true,
  calls: [
    post(`${pods}?fieldManager=creator`, {
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: { containers: [container('app', { resources: { limits: { cpu: '1' } } })], nodeName: 'node-a' },
    }),
    apply(`${pods}/web`, 'labels', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', labels: { tier: 'x' } } }),
    apply(`${pods}/web`, 'image', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web' },
      spec: { containers: [container('app', { image: 'shop/web:v2' })] },
    }),
    patch('strategic', `${pods}/web/status?fieldManager=agent`, {
      status: { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2020-01-02T03:04:05Z' }] },
    }),
    get(`${pods}/web`),
  ],
};

export const applies: readonly Case[] = [configMap, refused, workload, servicePorts, customKind, pod];
