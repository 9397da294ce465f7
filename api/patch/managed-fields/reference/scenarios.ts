import fc from 'fast-check';

/** One write to an object. */
export interface Step {
  readonly op: 'update' | 'apply';
  readonly manager: string;
  readonly force: boolean;
  readonly object: Readonly<Record<string, unknown>>;
}

/** Writes to one object, one after the other. */
export interface Scenario {
  readonly apiVersion: string;
  readonly kind: string;
  readonly steps: readonly Step[];
}

const word = fc.constantFrom('a', 'b', 'c');
const optional = { requiredKeys: [] };
const labels = fc.dictionary(word, word, { maxKeys: 3 });

/** Items of which no two have the same keys: an apply with such a list is refused. */
function keyed<Item>(item: fc.Arbitrary<Item>, key: (item: Item) => unknown, maxLength = 3) {
  return fc.uniqueArray(item, { selector: (each) => JSON.stringify(key(each)), maxLength });
}

const metadata = fc.record(
  {
    labels,
    annotations: labels,
    finalizers: fc.uniqueArray(fc.constantFrom('x.example/a', 'x.example/b'), { maxLength: 2 }),
    ownerReferences: keyed(
      fc.record({ apiVersion: fc.constant('v1'), kind: fc.constant('ConfigMap'), name: word, uid: word }),
      ({ uid }) => uid,
      2,
    ),
  },
  optional,
);

const container = fc.record(
  {
    name: word,
    image: word,
    args: fc.array(word, { maxLength: 2 }),
    env: keyed(
      fc.oneof(
        fc.record({ name: word, value: word }),
        fc.record({ name: word, valueFrom: fc.record({ configMapKeyRef: fc.record({ name: word, key: word }) }) }),
      ),
      ({ name }) => name,
    ),
    ports: keyed(
      fc.record(
        { containerPort: fc.constantFrom(80, 443, 9), protocol: fc.constantFrom('TCP', 'UDP'), name: word },
        { requiredKeys: ['containerPort'] },
      ),
      ({ containerPort, protocol }) => [containerPort, protocol ?? 'TCP'],
    ),
    resources: fc.record(
      { limits: fc.dictionary(fc.constantFrom('cpu', 'memory'), fc.constantFrom('1', '2')) },
      optional,
    ),
    volumeMounts: keyed(fc.record({ mountPath: word, name: word }), ({ mountPath }) => mountPath, 2),
    livenessProbe: fc.record(
      { httpGet: fc.record({ path: word, port: fc.constantFrom(80, 81) }), periodSeconds: fc.nat(3) },
      optional,
    ),
    securityContext: fc.record({ runAsUser: fc.nat(2) }, optional),
  },
  { requiredKeys: ['name'] },
);

const podSpec = fc.record(
  {
    containers: keyed(container, ({ name }) => name),
    initContainers: keyed(container, ({ name }) => name, 1),
    nodeSelector: labels,
    serviceAccountName: word,
    tolerations: fc.array(fc.record({ key: word, operator: fc.constant('Exists') }), { maxLength: 2 }),
    imagePullSecrets: keyed(fc.record({ name: word }), ({ name }) => name, 2),
    volumes: keyed(
      fc.oneof(
        fc.record({ name: word, emptyDir: fc.constant({}) }),
        fc.record({ name: word, configMap: fc.record({ name: word }) }),
      ),
      ({ name }) => name,
      2,
    ),
    securityContext: fc.record({ runAsUser: fc.nat(2) }, optional),
  },
  optional,
);

const deploymentSpec = fc.record(
  {
    replicas: fc.nat(3),
    minReadySeconds: fc.nat(2),
    selector: fc.record({ matchLabels: labels }, optional),
    strategy: fc.record(
      {
        type: fc.constantFrom('Recreate', 'RollingUpdate'),
        rollingUpdate: fc.record({ maxSurge: fc.nat(2) }, optional),
      },
      optional,
    ),
    template: fc.record({ metadata: fc.record({ labels }, optional), spec: podSpec }, optional),
  },
  optional,
);

const serviceSpec = fc.record(
  {
    type: fc.constantFrom('ClusterIP', 'NodePort'),
    selector: labels,
    externalIPs: fc.array(fc.constantFrom('10.0.0.1', '10.0.0.2'), { maxLength: 2 }),
    ports: keyed(
      fc.record(
        { port: fc.constantFrom(80, 443), protocol: fc.constantFrom('TCP', 'UDP'), name: word, targetPort: word },
        { requiredKeys: ['port'] },
      ),
      ({ port, protocol }) => [port, protocol ?? 'TCP'],
    ),
  },
  optional,
);

const kinds: readonly (readonly [apiVersion: string, kind: string, body: fc.Arbitrary<object>])[] = [
  ['apps/v1', 'Deployment', fc.record({ spec: deploymentSpec }, optional)],
  ['v1', 'Pod', fc.record({ spec: podSpec }, optional)],
  ['v1', 'Service', fc.record({ spec: serviceSpec }, optional)],
  ['v1', 'ConfigMap', fc.record({ data: labels, binaryData: labels, immutable: fc.boolean() }, optional)],
];

function stepsOf(apiVersion: string, kind: string, body: fc.Arbitrary<object>): fc.Arbitrary<readonly Step[]> {
  const object = fc.tuple(metadata, body).map(([more, rest]) => {
    return {
      apiVersion,
      kind,
      metadata: { name: 'x', namespace: 'default', ...more },
      ...rest,
    };
  });
  const step = fc.record({
    op: fc.constantFrom('apply', 'apply', 'update'),
    manager: fc.constantFrom('one', 'two', 'kubectl'),
    force: fc.boolean(),
    object,
  });
  return fc.array(step, { minLength: 2, maxLength: 6 });
}

/** Any few writes by a few managers to an object of one of the built-in kinds. */
export const scenarios: fc.Arbitrary<Scenario> = fc.oneof(
  ...kinds.map(([apiVersion, kind, body]) =>
    stepsOf(apiVersion, kind, body).map((steps) => ({ apiVersion, kind, steps })),
  ),
);
