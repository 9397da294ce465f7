import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as models from '@kubernetes/client-node';
import type { z } from 'zod';
import { selfSubjectReviewSchema, tokenRequestSchema, tokenReviewSchema } from './authentication.ts';
import { selfSubjectAccessReviewSchema } from './authorization.ts';
import { kinds } from './registry.ts';
import { scaleSchema } from './scale.ts';

/*
 * The referee: the models that the official JavaScript client is generated with, from Kubernetes' own OpenAPI document.
 * Every field they have must be known here, and no other.
 */

interface Attribute {
  readonly baseName: string;
  readonly type: string;
}

interface Model {
  readonly attributeTypeMap?: readonly Attribute[];
}

interface Node {
  readonly _zod: {
    readonly def: {
      readonly type: string;
      readonly innerType?: Node;
      readonly in?: Node;
      readonly out?: Node;
      readonly shape?: Readonly<Record<string, Node>>;
      readonly element?: Node;
      readonly catchall?: Node;
    };
  };
}

const modelOf = (name: string): Model | undefined => (models as unknown as Record<string, Model>)[name];

function unwrap(node: Node): Node {
  const { def } = node._zod;
  const inner = def.innerType ?? def.element ?? (def.in?._zod.def.type === 'transform' ? def.out : def.in);
  return inner === undefined ? node : unwrap(inner);
}

/** Fields that one of the two does not have, by path. Objects that are left unread (`foreign` volumes) end the walk. */
function differences(node: Node, modelName: string, path: string): readonly string[] {
  const { shape, catchall } = unwrap(node)._zod.def;
  const attributes = modelOf(modelName)?.attributeTypeMap;
  if (shape === undefined || attributes === undefined || catchall?._zod.def.type === 'unknown') return [];
  const known = new Map(attributes.map(({ baseName, type }) => [baseName, type]));
  const missing = [...known.keys()].filter((name) => !(name in shape)).map((name) => `${path}.${name} is missing here`);
  const extra = Object.keys(shape)
    .filter((name) => !known.has(name))
    .map((name) => `${path}.${name} is not in Kubernetes`);
  const deeper = Object.entries(shape).flatMap(([name, field]) => {
    const type = /(?:Core|Events|Discovery|Authentication)?V1\w+/.exec(known.get(name) ?? '')?.[0];
    return type === undefined ? [] : differences(field, type, `${path}.${name}`);
  });
  return [...missing, ...extra, ...deeper];
}

const MODELS: Readonly<Record<string, string>> = {
  ConfigMap: 'V1ConfigMap',
  Deployment: 'V1Deployment',
  EndpointSlice: 'V1EndpointSlice',
  Event: 'CoreV1Event',
  Lease: 'V1Lease',
  Namespace: 'V1Namespace',
  Node: 'V1Node',
  Pod: 'V1Pod',
  ReplicaSet: 'V1ReplicaSet',
  Secret: 'V1Secret',
  Service: 'V1Service',
  ServiceAccount: 'V1ServiceAccount',
};

for (const kind of kinds.filter(({ kind: name }) => name in MODELS)) {
  test(`${kind.kind} has the fields that Kubernetes' has, and no other`, () => {
    assert.deepEqual(differences(kind.schema, MODELS[kind.kind] ?? '', kind.kind), []);
  });
}

const REVIEWS: readonly (readonly [model: string, schema: z.ZodType])[] = [
  ['V1Scale', scaleSchema],
  ['AuthenticationV1TokenRequest', tokenRequestSchema],
  ['V1TokenReview', tokenReviewSchema],
  ['V1SelfSubjectReview', selfSubjectReviewSchema],
  ['V1SelfSubjectAccessReview', selfSubjectAccessReviewSchema],
];

for (const [model, schema] of REVIEWS) {
  test(`the shape of ${model} is Kubernetes'`, () => {
    assert.notEqual(modelOf(model)?.attributeTypeMap, undefined);
    assert.deepEqual(differences(schema, model, model), []);
  });
}

test('the walk sees a field that is missing, also deep within', () => {
  const pod = kinds.find(({ kind }) => kind === 'Pod');
  assert.ok(pod !== undefined);
  const found = differences(pod.schema, 'V1Deployment', 'Pod');
  assert.ok(found.includes('Pod.spec.replicas is missing here'));
  assert.ok(found.includes('Pod.status.phase is not in Kubernetes'));
});
