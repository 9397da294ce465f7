import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { findKind, kindByResource, kindOf, kinds } from './registry.ts';

const FOUND: readonly (readonly [name: string, kind: string | undefined])[] = [
  ['po', 'Pod'],
  ['pod', 'Pod'],
  ['pods', 'Pod'],
  ['Pod', 'Pod'],
  ['deploy', 'Deployment'],
  ['deployments.apps', 'Deployment'],
  ['deployment.v1.apps', 'Deployment'],
  ['svc', 'Service'],
  ['no', 'Node'],
  ['ns', 'Namespace'],
  ['cm', 'ConfigMap'],
  ['sa', 'ServiceAccount'],
  ['rs', 'ReplicaSet'],
  ['ev', 'Event'],
  ['gc', 'GatewayClass'],
  ['gtw', 'Gateway'],
  ['httproutes.gateway.networking.k8s.io', 'HTTPRoute'],
  ['tlsroute', 'TLSRoute'],
  ['tcproutes.v1alpha2.gateway.networking.k8s.io', 'TCPRoute'],
  ['endpointslice', 'EndpointSlice'],
  ['proxies', 'Proxy'],
  ['pods.v1', 'Pod'],
  ['pods.apps', undefined],
  ['frobs', undefined],
  ['', undefined],
];

for (const [name, kind] of FOUND) {
  test(`'${name}' is ${kind ?? 'no kind'}`, () => assert.equal(findKind(name)?.kind, kind));
}

test('a kind is found by resource and by type', () => {
  assert.equal(kindByResource('apps', 'v1', 'deployments')?.kind, 'Deployment');
  assert.equal(kindByResource('', 'v1', 'deployments'), undefined);
  assert.equal(kindOf('v1', 'Secret')?.plural, 'secrets');
  assert.equal(kindOf('apps/v1', 'Secret'), undefined);
});

test('no two kinds share a resource, a type or a name that people type', () => {
  const unique = (names: readonly string[]): void => assert.equal(new Set(names).size, names.length, names.join());
  unique(kinds.map(({ group, version, plural }) => [group, version, plural].join('/')));
  unique(kinds.map(({ group, version, kind }) => [group, version, kind].join('/')));
  unique(kinds.flatMap(({ plural, singular, shortNames }) => [plural, singular, ...shortNames]));
});

interface JsonSchema {
  readonly type?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

for (const kind of kinds) {
  test(`${kind.kind} makes an OpenAPI document with its type's words`, () => {
    const document = z.toJSONSchema(kind.schema, { io: 'input' }) as JsonSchema;
    assert.equal(document.type, 'object');
    assert.ok((document.description ?? '').length > 10, 'a description for kubectl explain');
    const { apiVersion, metadata } = document.properties ?? {};
    assert.match(apiVersion?.description ?? '', /versioned schema/);
    assert.ok((metadata?.properties?.['labels']?.description ?? '').length > 10);
    for (const part of ['spec', 'status', 'data']) {
      for (const [name, field] of Object.entries(document.properties?.[part]?.properties ?? {})) {
        assert.notDeepEqual(field, {}, `${part}.${name} says nothing`);
      }
    }
  });

  test(`${kind.kind} has columns that can be told apart, and selectable fields that give text`, () => {
    const names = kind.columns.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    assert.ok(kind.columns.some(({ name, format }) => name === 'Name' && format === 'name'));
  });
}

test('merge keys reach the OpenAPI document', () => {
  const pod = z.toJSONSchema(kindOf('v1', 'Pod')?.schema ?? z.never(), { io: 'input' });
  const text = JSON.stringify(pod);
  for (const part of [
    '"x-kubernetes-patch-merge-key":"containerPort"',
    '"x-kubernetes-list-map-keys":["containerPort","protocol"]',
    '"x-kubernetes-patch-strategy":"merge,retainKeys"',
  ]) {
    assert.ok(text.includes(part), part);
  }
});
