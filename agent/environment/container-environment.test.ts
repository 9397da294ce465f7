import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type ConfigMap, configMapKind } from '../../api/kinds/config-map.ts';
import type { Container } from '../../api/kinds/container.ts';
import { type Pod, podKind } from '../../api/kinds/pod.ts';
import { type Secret, secretKind } from '../../api/kinds/secret.ts';
import { ConfigError } from './config-error.ts';
import { configReferences } from './config-references.ts';
import { containerEnvironment, expandAll } from './container-environment.ts';
import { expand } from './expand.ts';
import { portVariables, proxyVariables } from './platform-variables.ts';

function pod(container: Record<string, unknown>): Pod {
  return podKind.schema.parse({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-1', namespace: 'shop', uid: 'u-1', labels: { app: 'web' }, annotations: { note: 'a "b"' } },
    spec: { serviceAccountName: 'web', containers: [{ name: 'app', ...container }] },
  });
}

const CONFIG: ConfigMap = configMapKind.schema.parse({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'config', namespace: 'shop' },
  data: { mode: 'fast', PORT: '8080' },
});

const SECRET: Secret = secretKind.schema.parse({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'keys', namespace: 'shop' },
  stringData: { key: 'geheim' },
});

function environment(
  container: Record<string, unknown>,
  platform: Record<string, string> = {},
): Record<string, string> {
  const whole = pod(container);
  const [first] = whole.spec.containers;
  return containerEnvironment({
    pod: whole,
    container: first as Container,
    place: { nodeName: 'n-1', hostAddress: '10.0.0.1', podAddress: '127.64.0.9' },
    objects: {
      configMap: (name) => (name === 'config' ? CONFIG : undefined),
      secret: (name) => (name === 'keys' ? SECRET : undefined),
    },
    appPorts: { '8080': 31000, '9090': 31001 },
    allocatable: { cpu: '4', memory: '8Gi' },
    platform,
  });
}

const FIELDS: readonly (readonly [path: string, value: string])[] = [
  ['metadata.name', 'web-1'],
  ['metadata.namespace', 'shop'],
  ['metadata.uid', 'u-1'],
  ["metadata.labels['app']", 'web'],
  ["metadata.annotations['note']", 'a "b"'],
  ['spec.nodeName', 'n-1'],
  ['spec.serviceAccountName', 'web'],
  ['status.hostIP', '10.0.0.1'],
  ['status.podIP', '127.64.0.9'],
];

for (const [fieldPath, value] of FIELDS) {
  test(`the field ${fieldPath} becomes a variable`, () => {
    assert.equal(environment({ env: [{ name: 'X', valueFrom: { fieldRef: { fieldPath } } }] })['X'], value);
  });
}

const RESOURCES: readonly (readonly [resource: string, divisor: string | undefined, value: string])[] = [
  ['limits.cpu', undefined, '2'],
  ['limits.cpu', '1m', '1500'],
  ['requests.memory', '1Mi', '64'],
  ['limits.memory', '1Gi', '8'],
  ['requests.cpu', '1m', '1500'],
];

for (const [resource, divisor, value] of RESOURCES) {
  test(`the resource ${resource} in units of ${divisor ?? '1'} is ${value}`, () => {
    const resourceFieldRef = { resource, ...(divisor === undefined ? {} : { divisor }) };
    const resources = { limits: { cpu: '1500m' }, requests: { memory: '64Mi' } };
    assert.equal(environment({ resources, env: [{ name: 'X', valueFrom: { resourceFieldRef } }] })['X'], value);
  });
}

test('variables come from envFrom, then env, and the platform fills what is free', () => {
  const variables = environment(
    {
      envFrom: [{ prefix: 'C_', configMapRef: { name: 'config' } }, { secretRef: { name: 'keys' } }],
      env: [
        { name: 'HOST', value: 'own' },
        { name: 'URL', value: 'http://$(HOST):$(OTHER)/$(C_mode)/$(NONE)/$$(HOST)' },
        { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'key' } } },
      ],
    },
    { HOST: 'platform', OTHER: '80' },
  );
  assert.deepEqual(variables, {
    HOST: 'own',
    OTHER: '80',
    C_mode: 'fast',
    C_PORT: '8080',
    key: 'geheim',
    URL: 'http://own:80/fast/$(NONE)/$(HOST)',
    KEY: 'geheim',
  });
});

const MISSING: readonly (readonly [name: string, container: Record<string, unknown>, message: string | undefined])[] = [
  [
    'ConfigMap',
    { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'no', key: 'k' } } }] },
    'configmap "no" not found',
  ],
  ['Secret', { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'no', key: 'k' } } }] }, 'secret "no" not found'],
  [
    'key',
    { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'config', key: 'k' } } }] },
    "couldn't find key k in ConfigMap shop/config",
  ],
  [
    'optional key',
    { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'config', key: 'k', optional: true } } }] },
    undefined,
  ],
  ['source', { envFrom: [{ secretRef: { name: 'no' } }] }, 'secret "no" not found'],
  ['optional source', { envFrom: [{ secretRef: { name: 'no', optional: true } }] }, undefined],
];

for (const [name, container, message] of MISSING) {
  test(`a missing ${name} ${message === undefined ? 'leaves the variable out' : 'holds the container back'}`, () => {
    if (message === undefined) assert.deepEqual(environment(container), {});
    else assert.throws(() => environment(container), new ConfigError(message));
  });
}

test('PORT that the Pod sets to a port of the container means the port that the process got', () => {
  const ports = [{ name: 'http', containerPort: 8080 }, { containerPort: 9090 }];
  const env = [
    { name: 'PORT', value: '8080' },
    { name: 'PORT_HTTP', value: '1234' },
    { name: 'UPSTREAM_PORT', value: '8080' },
  ];
  assert.deepEqual(environment({ ports, env }), { PORT: '31000', PORT_HTTP: '1234', UPSTREAM_PORT: '8080' });
  const named = [
    { name: 'http', containerPort: 8080, protocol: 'TCP' as const },
    { name: 'my-admin', containerPort: 9090, protocol: 'TCP' as const },
  ];
  assert.deepEqual(portVariables({ ports: named }, { '8080': 31000, '9090': 31001 }), {
    PORT: '31000',
    PORT_HTTP: '31000',
    PORT_MY_ADMIN: '31001',
  });
});

test('outgoing HTTP goes to the sidecar, what is local does not', () => {
  const variables = proxyVariables('127.64.0.9');
  assert.deepEqual(
    [variables['http_proxy'], variables['no_proxy'], variables['NODE_USE_ENV_PROXY']],
    ['http://127.64.0.9:15001', 'localhost,127.0.0.1,::1,127.64.0.9', '1'],
  );
});

test('all ConfigMaps and Secrets that a pod names are found', () => {
  const whole = podKind.schema.parse({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'x' },
    spec: {
      initContainers: [{ name: 'i', env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'a', key: 'k' } } }] }],
      containers: [{ name: 'c', envFrom: [{ secretRef: { name: 'b' } }] }],
      volumes: [
        { name: 'v', configMap: { name: 'c' } },
        { name: 'w', projected: { sources: [{ secret: { name: 'd' } }] } },
      ],
    },
  });
  assert.deepEqual(configReferences(whole), { configMaps: ['a', 'c'], secrets: ['b', 'd'] });
});

test('command and args are expanded by the container’s variables', () => {
  assert.deepEqual(expandAll(['serve', '--port=$(PORT)'], { PORT: '1' }), ['serve', '--port=1']);
  assert.deepEqual(expandAll(undefined, {}), []);
});

test('text without a dollar sign is never changed by expansion, and two dollars are always one', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const plain = text.replaceAll('$', '');
      assert.equal(
        expand(plain, () => 'X'),
        plain,
      );
      assert.equal(
        expand(`$$${plain}`, () => 'X'),
        `$${plain}`,
      );
    }),
  );
});
