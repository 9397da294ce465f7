import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deploymentKind } from '../kinds/deployment.ts';
import { httpRouteKind } from '../kinds/http-route.ts';
import type { Kind } from '../kinds/kind.ts';
import { secretKind } from '../kinds/secret.ts';
import { schemaIssues } from './schema-issues.ts';
import type { FieldError } from './status.ts';

function errorsOf(kind: Pick<Kind, 'schema'>, input: unknown): readonly FieldError[] {
  const parsed = kind.schema.safeParse(input);
  return parsed.success ? [] : schemaIssues(parsed.error.issues, input);
}

const deployment = (change: object, container: object = {}): unknown => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { spec: { containers: [{ name: 'app', image: 'x', ...container }] } },
    ...change,
  },
});

const route = (filter: unknown): unknown => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'web' },
  spec: { rules: [{ filters: [filter] }] },
});

const CASES: readonly (readonly [
  what: string,
  kind: Pick<Kind, 'schema'>,
  input: unknown,
  field: string,
  message: string,
])[] = [
  [
    'a text for a number',
    deploymentKind,
    deployment({ replicas: 'two' }),
    'spec.replicas',
    'Invalid value: "two": must be a number, is a string',
  ],
  [
    'a fraction for a whole number',
    deploymentKind,
    deployment({ replicas: 1.5 }),
    'spec.replicas',
    'Invalid value: 1.5: must be an integer, is a number',
  ],
  [
    'an object for a list',
    deploymentKind,
    deployment({}, { args: {} }),
    'spec.template.spec.containers[0].args',
    'Invalid value: {}: must be a list, is an object',
  ],
  ['a missing selector', deploymentKind, deployment({ selector: undefined }), 'spec.selector', 'Required value'],
  [
    'an empty container name',
    deploymentKind,
    deployment({}, { name: '' }),
    'spec.template.spec.containers[0].name',
    'Required value',
  ],
  [
    'an unknown word',
    deploymentKind,
    deployment({}, { imagePullPolicy: 'Maybe' }),
    'spec.template.spec.containers[0].imagePullPolicy',
    'Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never"',
  ],
  [
    'an unknown field',
    deploymentKind,
    deployment({}, { imag: 'x' }),
    'spec.template.spec.containers[0].imag',
    'unknown field "spec.template.spec.containers[0].imag"',
  ],
  [
    'a boolean for a port',
    deploymentKind,
    deployment({}, { readinessProbe: { tcpSocket: { port: true } } }),
    'spec.template.spec.containers[0].readinessProbe.tcpSocket.port',
    'Invalid value: true: must be a number or a string',
  ],
  [
    'a number for a label',
    deploymentKind,
    deployment({ selector: { matchLabels: { 'app.example/x': 1 } } }),
    'spec.selector.matchLabels[app.example/x]',
    'Invalid value: 1: must be a string, is a number',
  ],
  [
    'no quantity',
    deploymentKind,
    deployment({}, { resources: { limits: { cpu: 'lots' } } }),
    'spec.template.spec.containers[0].resources.limits.cpu',
    'Invalid value: "lots": quantities must match the regular expression \'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$\'',
  ],
  [
    'no base64',
    secretKind,
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, data: { key: '!' } },
    'data.key',
    'Invalid value: "!": must be base64',
  ],
  [
    'a redirect that is none',
    httpRouteKind,
    route({ type: 'RequestRedirect', requestRedirect: { statusCode: 200 } }),
    'spec.rules[0].filters[0].requestRedirect.statusCode',
    'Unsupported value: 200: supported values: "301", "302", "303", "307", "308"',
  ],
  [
    'another kind',
    secretKind,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} },
    'kind',
    'Unsupported value: "ConfigMap": supported values: "Secret"',
  ],
];

for (const [what, kind, input, field, message] of CASES) {
  test(`${what} is told by path and in words`, () => {
    assert.deepEqual(
      errorsOf(kind, input).map((error) => [error.field, error.message]),
      [[field, message]],
    );
  });
}

test('a long value is cut in the message', () => {
  const [error] = errorsOf(secretKind, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a' },
    data: { key: '!'.repeat(100_000) },
  });
  assert.ok((error?.message.length ?? 0) < 200);
});
