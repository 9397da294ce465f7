import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { allErrors } from './all-errors.ts';
import { decode } from './decode.ts';
import { deploymentKind } from './deployment.ts';
import type { Kind, KubeObject } from './kind.ts';
import { podKind } from './pod.ts';
import { serviceKind } from './service.ts';

const identity = { apiVersion: 'v1', metadata: { name: 'x', namespace: 'y' } };

function told<T extends KubeObject>(kind: Kind<T>, document: object): readonly string[] {
  return allErrors(kind, document).map(({ field, message }) => `${field}: ${message}`);
}

test('what the schema refuses and what the rules refuse are told together', () => {
  const ports = [{ port: 70_000, targetPort: 80, name: 'UPPER', protocol: 'QUIC' }];
  const errors = told(serviceKind, { ...identity, kind: 'Service', spec: { ports } });
  assert.equal(errors.length, 3, errors.join('\n'));
  assert.match(errors[0] ?? '', /^spec\.ports\[0\]\.protocol: Unsupported value: "QUIC"/);
  assert.match(errors[1] ?? '', /^spec\.ports\[0\]\.name: Invalid value: "UPPER"/);
  assert.match(errors[2] ?? '', /^spec\.ports\[0\]\.port: Invalid value: 70000/);
});

test('what is missing has its zero value, and the rules say what is wrong with that', () => {
  const deployment = { ...identity, apiVersion: 'apps/v1', kind: 'Deployment' };
  assert.deepEqual(told(deploymentKind, deployment), [
    'spec.selector: Required value',
    'spec.template.spec.containers: Required value',
  ]);
  const probe = { httpGet: { path: '/' } };
  const containers = [{ name: 'app', image: 'x:v1', readinessProbe: probe }];
  assert.deepEqual(told(podKind, { ...identity, kind: 'Pod', spec: { containers } }), [
    'spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive',
  ]);
});

test('beside an operator that is none, nothing is said of what it would compare with', () => {
  const term = { matchExpressions: [{ key: 'a', operator: 'Near' }] };
  const affinity = {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } },
  };
  const spec = { containers: [{ name: 'app', image: 'x:v1' }], affinity };
  const at = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]';
  assert.deepEqual(told(podKind, { ...identity, kind: 'Pod', spec }), [
    `${at}.matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator`,
  ]);
});

test('a document that the schema refuses always has an error, whatever is in it, and the first is not the only one tried', () => {
  const leaf = fc.constantFrom<unknown>('', 'x', 0, -1, true, undefined, [], {}, ['x'], [{}], { name: 'x' });
  const spec = fc.record(
    { containers: leaf, restartPolicy: leaf, volumes: leaf, affinity: leaf, tolerations: leaf, nodeSelector: leaf },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(spec, (fields) => {
      const decoded = decode(podKind.schema, { ...identity, kind: 'Pod', spec: fields });
      if (!decoded.ok) assert.ok(allErrors(podKind, decoded.known).length > 0);
    }),
  );
});
