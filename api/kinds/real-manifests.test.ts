import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { decode } from './decode.ts';
import type { KubeObject } from './kind.ts';
import { kindOf } from './registry.ts';

/* A workload with about every field that public charts use: all of it is accepted, and what is not enforced is named. */

const MANIFEST = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  creationTimestamp: null
  labels: {app.kubernetes.io/name: web, helm.sh/chart: web-1.2.3}
  annotations: {deployment.kubernetes.io/revision: "1"}
spec:
  replicas: 2
  revisionHistoryLimit: 3
  selector: {matchLabels: {app.kubernetes.io/name: web}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  template:
    metadata:
      labels: {app.kubernetes.io/name: web}
      annotations: {prometheus.io/scrape: "true", checksum/config: abc}
    spec:
      serviceAccountName: web
      automountServiceAccountToken: false
      priorityClassName: high
      securityContext: {runAsNonRoot: true, fsGroup: 1000, seccompProfile: {type: RuntimeDefault}}
      imagePullSecrets: [{name: registry}]
      nodeSelector: {kubernetes.io/os: linux}
      tolerations: [{key: dedicated, operator: Equal, value: web, effect: NoSchedule}]
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms: [{matchExpressions: [{key: arch, operator: In, values: [amd64]}]}]
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {a: b}}}
      topologySpreadConstraints:
        - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {a: b}}}
      initContainers:
        - name: migrate
          image: shop/migrate:v1
          command: [sh, -c, "echo done"]
      containers:
        - name: app
          image: shop/web:v1
          imagePullPolicy: IfNotPresent
          args: ["--port=$(PORT)"]
          ports: [{name: http, containerPort: 8080, protocol: TCP}, {name: metrics, containerPort: 9090}]
          env:
            - {name: PLAIN, value: "1"}
            - {name: SECRET, valueFrom: {secretKeyRef: {name: s, key: k}}}
            - {name: CONFIG, valueFrom: {configMapKeyRef: {name: c, key: k, optional: true}}}
            - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
            - {name: CPUS, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
          envFrom: [{configMapRef: {name: c}}, {prefix: S_, secretRef: {name: s, optional: true}}]
          resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {cpu: 1, memory: 1Gi}}
          startupProbe: {httpGet: {path: /healthz, port: http}, failureThreshold: 30}
          readinessProbe: {httpGet: {path: /ready, port: http, httpHeaders: [{name: X, value: y}]}, periodSeconds: 2}
          livenessProbe: {grpc: {port: 9090}, initialDelaySeconds: 5}
          lifecycle: {preStop: {exec: {command: [sleep, "5"]}}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts:
            - {name: config, mountPath: /etc/web, readOnly: true}
            - {name: tmp, mountPath: /tmp}
      volumes:
        - name: config
          projected:
            sources: [{configMap: {name: c, items: [{key: a, path: b/c}]}}, {secret: {name: s}}, {serviceAccountToken: {path: token}}]
        - {name: tmp, emptyDir: {medium: Memory, sizeLimit: 64Mi}}
        - {name: data, persistentVolumeClaim: {claimName: data}}
        - {name: old, awsElasticBlockStore: {volumeID: v, fsType: ext4}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  type: NodePort
  selector: {app.kubernetes.io/name: web}
  ports: [{name: http, port: 80, targetPort: http, nodePort: 30080, appProtocol: http}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec:
  parentRefs: [{name: edge, sectionName: http}, {kind: Service, group: "", name: web, port: 80}]
  hostnames: [shop.example, "*.shop.example"]
  rules:
    - matches:
        - path: {type: PathPrefix, value: /api}
          method: GET
          headers: [{name: x-canary, value: "true"}, {name: x-re, type: RegularExpression, value: "^a+$"}]
          queryParams: [{name: q, value: "1"}]
      filters:
        - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: b}], remove: [c]}}
        - {type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}
        - {type: RequestMirror, requestMirror: {backendRef: {name: shadow, port: 80}, percent: 10}}
      timeouts: {request: 10s, backendRequest: 2s}
      retry: {attempts: 3, codes: [503], backoff: 100ms}
      backendRefs: [{name: web, port: 80, weight: 90}, {name: web-v2, port: 80, weight: 10}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: vault, namespace: shop}
spec:
  parentRefs: [{name: edge, sectionName: tls}]
  hostnames: [vault.shop.example, "*.vault.shop.example"]
  rules: [{backendRefs: [{name: vault, port: 8200}]}]
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata: {name: mail, namespace: shop}
spec:
  parentRefs: [{name: edge, sectionName: smtp}]
  rules: [{backendRefs: [{name: mail, port: 25, weight: 9}, {name: mail-v2, port: 25}]}]
`;

interface Read {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

function read(json: unknown): Read {
  const { apiVersion, kind: name } = json as KubeObject;
  const kind = kindOf(apiVersion, name);
  assert.ok(kind !== undefined, `${apiVersion} ${name}`);
  const decoded = decode(kind.schema, json);
  if (!decoded.ok)
    return {
      errors: [...decoded.errors, ...decoded.unknown].map(({ field, message }) => `${field}: ${message}`),
      warnings: [],
    };
  const errors = [...decoded.unknown, ...kind.validate(decoded.object, undefined)];
  return {
    errors: errors.map(({ field, message }) => `${field}: ${message}`),
    warnings: kind.warnings(decoded.object),
  };
}

test('manifests as people have them are accepted whole, and what is not enforced is told by path', () => {
  const results = parseAllDocuments(MANIFEST).map((document) => read(document.toJS()));
  assert.deepEqual(
    results.flatMap(({ errors }) => errors),
    [],
  );
  const paths = results.flatMap(({ warnings }) => warnings.map((warning) => warning.split(':')[0]));
  for (const path of [
    'spec.template.spec.affinity.podAntiAffinity',
    'spec.template.spec.topologySpreadConstraints',
    'spec.template.spec.securityContext.fsGroup',
    'spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem',
    'spec.template.spec.volumes[2].persistentVolumeClaim',
    'spec.template.spec.volumes[3].awsElasticBlockStore',
    'spec.ports[0].nodePort',
    'spec.rules[0].filters[2].requestMirror',
  ]) {
    assert.ok(paths.includes(path), path);
  }
});

test('one wrong letter anywhere is told by its path', () => {
  const [deployment] = parseAllDocuments(MANIFEST.replace('readOnly: true', 'readonly: true'));
  assert.deepEqual(read(deployment?.toJS()).errors, [
    'spec.template.spec.containers[0].volumeMounts[0].readonly: unknown field "spec.template.spec.containers[0].volumeMounts[0].readonly"',
  ]);
});
