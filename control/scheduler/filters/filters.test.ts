import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LONG_AGO, node, pod, type Said } from '../../controllers/testing/objects.ts';
import type { Filter } from '../candidate.ts';
import { toPlace } from '../cluster-view.ts';
import { candidate } from '../testing/candidates.ts';
import { nodeAffinity } from './node-affinity.ts';
import { nodeName } from './node-name.ts';
import { resourcesFit } from './resources-fit.ts';
import { taints } from './taints.ts';
import { unschedulable } from './unschedulable.ts';

const asking = (requests: Record<string, string>): Said['spec'] => ({
  containers: [{ name: 'app', image: 'x', resources: { requests } }],
});
const requiring = (...nodeSelectorTerms: object[]): Said['spec'] => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const ready = (status: string): Said => ({
  status: { conditions: [{ type: 'Ready', status, lastTransitionTime: LONG_AGO }] },
});
const tainted = (effect: string): Said => ({ spec: { taints: [{ key: 'gpu', value: 'yes', effect }] } });
const labelled: Said = { metadata: { labels: { disk: 'ssd', cores: '8' } } };

const MISMATCH = "node(s) didn't match Pod's node affinity/selector";

const cases: readonly [Filter, name: string, podSpec: Said['spec'], node: Said, expected: string[]][] = [
  [unschedulable, 'an open node', {}, {}, []],
  [unschedulable, 'a cordoned node', {}, { spec: { unschedulable: true } }, ['node(s) were unschedulable']],
  [
    unschedulable,
    'a cordoned node that is tolerated',
    { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] },
    { spec: { unschedulable: true } },
    [],
  ],
  [nodeName, 'the named node', { nodeName: 'n' }, {}, []],
  [nodeName, 'another than the named', { nodeName: 'x' }, {}, ["node(s) didn't match the requested node name"]],
  [taints, 'a ready node', {}, ready('True'), []],
  [
    taints,
    'a node that is not ready',
    {},
    ready('False'),
    ['node(s) had untolerated taint {node.kubernetes.io/not-ready: }'],
  ],
  [taints, 'a silent node', {}, ready('Unknown'), ['node(s) had untolerated taint {node.kubernetes.io/unreachable: }']],
  [
    taints,
    'a node that has said nothing yet',
    {},
    { status: { conditions: [] } },
    ['node(s) had untolerated taint {node.kubernetes.io/not-ready: }'],
  ],
  [taints, 'a tainted node', {}, tainted('NoSchedule'), ['node(s) had untolerated taint {gpu: yes}']],
  [taints, 'a node that one had better avoid', {}, tainted('PreferNoSchedule'), []],
  [
    taints,
    'a taint that is tolerated by value',
    { tolerations: [{ key: 'gpu', value: 'yes', effect: 'NoExecute' }] },
    tainted('NoExecute'),
    [],
  ],
  [
    taints,
    'a taint of another effect than tolerated',
    { tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoExecute' }] },
    tainted('NoSchedule'),
    ['node(s) had untolerated taint {gpu: yes}'],
  ],
  [
    taints,
    'a taint of another value than tolerated',
    { tolerations: [{ key: 'gpu', value: 'no' }] },
    tainted('NoSchedule'),
    ['node(s) had untolerated taint {gpu: yes}'],
  ],
  [
    taints,
    'any taint, for a pod that tolerates all',
    { tolerations: [{ operator: 'Exists' }] },
    tainted('NoSchedule'),
    [],
  ],
  [nodeAffinity, 'a node with the labels', { nodeSelector: { disk: 'ssd' } }, labelled, []],
  [nodeAffinity, 'a node without the labels', { nodeSelector: { disk: 'ssd' } }, {}, [MISMATCH]],
  [
    nodeAffinity,
    'a node that one of the terms matches',
    requiring(
      { matchExpressions: [{ key: 'disk', operator: 'In', values: ['hdd'] }] },
      { matchExpressions: [{ key: 'cores', operator: 'Gt', values: ['4'] }] },
    ),
    labelled,
    [],
  ],
  [
    nodeAffinity,
    'a node that no term matches',
    requiring({ matchExpressions: [{ key: 'disk', operator: 'NotIn', values: ['ssd'] }] }),
    labelled,
    [MISMATCH],
  ],
  [
    nodeAffinity,
    'a node by its name',
    requiring({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }),
    {},
    [],
  ],
  [nodeAffinity, 'any node, for an empty term', requiring({}), labelled, [MISMATCH]],
  [resourcesFit, 'a node with room', asking({ cpu: '4', memory: '8Gi' }), {}, []],
  [
    resourcesFit,
    'a node with too little of both',
    asking({ cpu: '4001m', memory: '9Gi' }),
    {},
    ['Insufficient cpu', 'Insufficient memory'],
  ],
  [
    resourcesFit,
    'a node without the resource',
    asking({ 'example.com/gpu': '1' }),
    {},
    ['Insufficient example.com/gpu'],
  ],
  [resourcesFit, 'a node that takes no more pods', {}, { status: { allocatable: { pods: '0' } } }, ['Too many pods']],
  [resourcesFit, 'a node that says nothing, for a pod that asks nothing', {}, { status: { allocatable: {} } }, []],
];
for (const [filter, name, spec, said, expected] of cases) {
  test(`${filter.name} on ${name}: ${expected.join(' and ') || 'fits'}`, () => {
    const placed = toPlace(pod('p', spec === undefined ? {} : { spec }));
    assert.deepEqual(filter.check(placed, candidate(node('n', said))), expected);
  });
}

test('110 pods fit on a node that does not say how many, and no more', () => {
  const full = Array.from({ length: 110 }, (_, index) => pod(`p${index}`, { node: 'n' }));
  const silent = node('n', { status: { allocatable: { cpu: '64', memory: '1Ti' } } });
  assert.deepEqual(resourcesFit.check(toPlace(pod('p')), candidate(silent, full.slice(1))), []);
  assert.deepEqual(resourcesFit.check(toPlace(pod('p')), candidate(silent, full)), ['Too many pods']);
});
