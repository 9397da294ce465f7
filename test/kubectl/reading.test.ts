import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gatewayKind } from '../../api/kinds/gateway.ts';
import { startTestApiServer, type TestApiServer } from '../support/api-server.ts';
import { needs } from '../support/programs.ts';
import { Kubectl } from './kubectl.ts';
import { configMapYaml, deploymentYaml, serviceYaml } from './manifests.ts';

let api: TestApiServer;
let kubectl: Kubectl;

const OTHERS = `
apiVersion: v1
kind: Pod
metadata: {name: lone, labels: {app: lone}}
spec:
  containers: [{name: app, image: 'shop/web:v1'}]
---
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {password: hunter2}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: shop}
---
apiVersion: v1
kind: Node
metadata: {name: one}
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: one, namespace: kube-node-lease}
spec: {holderIdentity: one, leaseDurationSeconds: 8}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web-1}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: 'shop/web:v1'}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-a, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [{addresses: [127.64.0.5], conditions: {ready: true}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  gatewayClassName: tutti
  listeners: [{name: http, port: 8080, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{name: web, port: 80}]}]
---
apiVersion: v1
kind: Event
metadata: {name: web.1}
involvedObject: {kind: Deployment, name: web, namespace: default}
reason: ScalingReplicaSet
message: Scaled up
type: Normal
`;

before(async () => {
  api = await startTestApiServer();
  kubectl = new Kubectl(api);
  const input = [deploymentYaml('web'), serviceYaml('web'), configMapYaml('conf', { a: '1' }), OTHERS].join('---');
  if (needs('kubectl').skip === false) await kubectl.ok('create -f -', [], { input });
});

after(() => api.close());

const lines = (text: string): string[][] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));

test('get shows the columns of the kind, and more with -o wide', needs('kubectl'), async () => {
  const [head, row] = lines(await kubectl.ok('get deployments'));
  assert.deepEqual(head, ['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE']);
  assert.deepEqual(row?.slice(0, 4), ['web', '0/2', '0', '0']);
  assert.match(row?.[4] ?? '', /^(\d+m)?(\d+s)?$/);
  const wide = lines(await kubectl.ok('get deployments -o wide'));
  assert.deepEqual(wide[0]?.slice(5), ['CONTAINERS', 'IMAGES', 'SELECTOR']);
  assert.deepEqual(wide[1]?.slice(5), ['app', 'shop/web:v1', 'app=web']);
});

test('get gives YAML, JSON, names and columns of its own', needs('kubectl'), async () => {
  assert.match(await kubectl.ok('get svc web -o yaml'), /^ {2}clusterIP: 127\.\d+\.\d+\.\d+$/m);
  const json = JSON.parse(await kubectl.ok('get pods -o json')) as { kind: string; items: unknown[] };
  assert.deepEqual([json.kind, json.items.length], ['List', 1]);
  assert.equal(await kubectl.ok('get svc,deploy -o name'), 'service/web\ndeployment.apps/web\n');
  const columns = await kubectl.ok('get secret key', ['-o', 'custom-columns=T:.type,P:.data.password']);
  assert.deepEqual(
    lines(columns)[1]?.map((cell) => cell.trim()),
    ['Opaque', 'aHVudGVyMg=='],
  );
});

test('get selects by labels, fields and namespaces, sorts and pages', needs('kubectl'), async () => {
  assert.equal(await kubectl.ok('get pods -l app=lone -o name'), 'pod/lone\n');
  assert.match((await kubectl.run('get pods -l app=none')).stderr, /No resources found/);
  assert.equal(
    await kubectl.ok('get pods --field-selector status.phase=Pending,metadata.name=lone -o name'),
    'pod/lone\n',
  );
  assert.match(
    await kubectl.refused('get pods --field-selector spec.image=x'),
    /field label not supported: spec\.image/,
  );
  assert.match(await kubectl.ok('get leases -A'), /kube-node-lease +one +one/);
  const sorted = await kubectl.ok('get namespaces --chunk-size=2 --sort-by=.metadata.name -o name');
  assert.equal(sorted.split('\n').length - 1, 5);
  assert.match(await kubectl.ok('get all'), /deployment\.apps\/web/);
  assert.match(await kubectl.ok('get events --field-selector involvedObject.name=web'), /ScalingReplicaSet/);
});

test('what is not there, and what is not known, is said', needs('kubectl'), async () => {
  assert.match(await kubectl.refused('get pod missing'), /Error from server \(NotFound\): pods "missing" not found/);
  assert.match(await kubectl.refused('get unicorns'), /the server doesn't have a resource type "unicorns"/);
  assert.match(await kubectl.refused('get --raw /foo'), /could not find the requested resource/);
});

test('get -w shows each change as it happens', needs('kubectl'), async () => {
  const watching = kubectl.start('get configmaps -w --output-watch-events');
  try {
    await watching.prints(/ADDED +conf +1/);
    await kubectl.ok('patch configmap conf --type merge', ['-p', '{"data":{"b":"2"}}']);
    await watching.prints(/MODIFIED +conf +2/);
    await kubectl.ok('create configmap fleeting');
    await kubectl.ok('delete configmap fleeting');
    await watching.prints(/DELETED +fleeting +0/);
  } finally {
    await watching.stop();
  }
});

const described: readonly (readonly [what: string, ...words: readonly RegExp[]])[] = [
  ['namespace default', /Status: +Active/],
  ['node one', /PodCIDR: +127\.\d+\.\d+\.0\/22/, /Non-terminated Pods: +\(0 in total\)/],
  ['pod lone', /Service Account: +default/, /QoS Class: +BestEffort/],
  ['service web', /IP: +127\./, /TargetPort: +8080\/TCP/, /Endpoints: +127\.64\.0\.5:8080/],
  ['endpointslice web-a', /127\.64\.0\.5/],
  ['configmap conf', /^a:$/m],
  ['secret key', /password: +7 bytes/],
  ['serviceaccount shop', /Name: +shop/],
  ['deployment web', /Replicas: +2 desired/, /RollingUpdateStrategy: +25% max unavailable, 25% max surge/],
  ['replicaset web-1', /Replicas: +0 current \/ 0 desired/],
  ['lease one -n kube-node-lease', /Holder Identity: +one/],
  ['gatewayclass tutti', /Controller Name: +tutti\.dev\/gateway-controller/],
  ['gateway edge', /Gateway Class Name: +tutti/],
  ['httproute web', /Backend Refs:/],
];

for (const [what, ...words] of described) {
  test(`describe ${what}`, needs('kubectl'), async () => {
    const text = await kubectl.ok(`describe ${what}`);
    for (const word of words) assert.match(text, word);
  });
}

test('explain knows the fields of every kind, built-in or not', needs('kubectl'), async () => {
  const strategy = await kubectl.ok('explain deployment.spec.strategy.rollingUpdate');
  assert.match(strategy, /FIELD: rollingUpdate <Object>/);
  assert.match(strategy, /maxSurge\t<IntOrString>|maxSurge\t<\w+>/);
  assert.match(await kubectl.ok('explain pod.spec.containers.ports'), /containerPort\t<integer> -required-/);
  assert.match(await kubectl.ok('explain httproute.spec.rules --recursive'), /backendRefs/);
  assert.match(await kubectl.refused('explain pod.spec.nonsense'), /field "nonsense" does not exist/);
});

test('api-resources lists what is served, with short names and verbs', needs('kubectl'), async () => {
  const text = await kubectl.ok('api-resources -o wide');
  assert.match(
    text,
    /^deployments +deploy +apps\/v1 +true +Deployment +create,delete,deletecollection,get,list,patch,update,watch +all$/m,
  );
  const { kind, plural } = gatewayKind;
  assert.match(text, new RegExp(`^${plural} +\\S+ +gateway\\.networking\\.k8s\\.io/v1 +true +${kind}`, 'm'));
  assert.match(await kubectl.ok('api-versions'), /^metrics\.k8s\.io\/v1beta1$/m);
});

test('version finds a server that it knows', needs('kubectl'), async () => {
  const { serverVersion } = JSON.parse(await kubectl.ok('version -o json')) as { serverVersion: { minor: string } };
  assert.equal(serverVersion.minor, '34');
});

test('auth tells who asks and what they may', needs('kubectl'), async () => {
  assert.match(await kubectl.ok('auth whoami'), /Username +admin\nGroups +\[system:masters system:authenticated\]/);
  assert.equal(await kubectl.ok('auth can-i delete pods'), 'yes\n');
  const node = '--as=system:node:one --as-group=system:nodes';
  assert.match((await kubectl.run(`auth can-i delete namespaces ${node}`)).stdout, /^no/);
  assert.equal(await kubectl.ok(`auth can-i update pods --subresource=status ${node}`), 'yes\n');
  assert.match(await kubectl.refused(`delete namespace kube-system ${node}`), /cannot delete resource "namespaces"/);
});

test('a token that it creates is a credential', needs('kubectl'), async () => {
  const token = (await kubectl.ok('create token shop --duration=10m')).trim();
  const answer = await kubectl.run('auth whoami', [
    '--token',
    token,
    '--kubeconfig',
    '/dev/null',
    '--server',
    api.server,
    '--insecure-skip-tls-verify',
  ]);
  assert.match(answer.stdout, /system:serviceaccount:default:shop/, answer.stderr);
});
