import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type Call, type Case, get, patch } from '../case.ts';
import { collection, KINDS } from './drafts.ts';

/*
 * Manifests as people have them: those of examples/ and workloads with the fields that public charts use, created and
 * then read back.
 */

const examples = join(import.meta.dirname, '..', '..', '..', 'examples', 'shop');

const CHART = `
apiVersion: v1
kind: ServiceAccount
metadata:
  name: web
  labels: {app.kubernetes.io/name: web, app.kubernetes.io/managed-by: Helm}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Secret
metadata: {name: web}
type: Opaque
stringData: {password: hunter2}
---
apiVersion: v1
kind: Service
metadata:
  name: web
  labels: {app.kubernetes.io/name: web}
spec:
  type: ClusterIP
  selector: {app.kubernetes.io/name: web}
  ports:
    - {name: http, port: 80, targetPort: http, protocol: TCP}
    - {name: metrics, port: 9090, targetPort: 9090}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
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
      securityContext: {runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000, seccompProfile: {type: RuntimeDefault}}
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
          resources: {requests: {cpu: 50m}}
        - name: logs
          image: shop/logs:v1
          restartPolicy: Always
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
            - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}
          envFrom: [{configMapRef: {name: c}}]
          livenessProbe: {httpGet: {path: /live, port: http}, initialDelaySeconds: 5, periodSeconds: 15}
          readinessProbe: {tcpSocket: {port: 8080}, timeoutSeconds: 3}
          startupProbe: {exec: {command: [cat, /ready]}, failureThreshold: 30}
          lifecycle: {preStop: {exec: {command: [sleep, "1"]}}}
          resources: {limits: {cpu: "1", memory: 512Mi}, requests: {cpu: 100m, memory: 0.25Gi}}
          securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
          volumeMounts:
            - {name: config, mountPath: /etc/web, readOnly: true}
            - {name: cache, mountPath: /cache, subPath: web}
            - {name: token, mountPath: /var/run/token}
        - name: side
          image: shop/side
      volumes:
        - {name: config, configMap: {name: web, items: [{key: a, path: a.conf, mode: 0400}]}}
        - {name: cache, emptyDir: {sizeLimit: 1Gi}}
        - name: token
          projected:
            sources:
              - serviceAccountToken: {path: token, audience: web}
              - downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec:
  parentRefs: [{name: edge, namespace: infra, sectionName: https}]
  hostnames: [shop.example]
  rules:
    - name: api
      matches:
        - {path: {type: PathPrefix, value: /api}, headers: [{name: x-canary, value: "1"}], method: GET}
        - {path: {type: Exact, value: /health}}
      filters:
        - type: RequestHeaderModifier
          requestHeaderModifier: {set: [{name: x-shop, value: a}], remove: [cookie]}
      backendRefs: [{name: web, port: 80, weight: 90}, {name: web-v2, port: 80, weight: 10}]
      timeouts: {request: 10s, backendRequest: 2s}
    - matches: [{path: {value: /old}}]
      filters:
        - type: RequestRedirect
          requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /new}, statusCode: 301}
`;

function creations(text: string): readonly Call[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null)
    .flatMap((manifest) => {
      const kind = KINDS.find((each) => each.kind === manifest.kind && each.apiVersion === manifest.apiVersion);
      if (kind === undefined) return [];
      const { namespace: _, ...metadata } = manifest.metadata;
      const path = collection(kind);
      return [
        { method: 'POST', path, body: { ...manifest, metadata } } as const,
        get(`${path}/${metadata.name}`),
        patch('merge', `${path}/${metadata.name}`, manifest.kind === 'Deployment' ? { spec: { replicas: 7 } } : {}),
      ];
    });
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

function exampleFiles(): readonly string[] {
  return readdirSync(examples)
    .filter((name) => name.endsWith('.yaml'))
    .sort();
}

export const manifests: readonly Case[] = [
  { name: 'manifest-chart', calls: creations(CHART) },
  ...exampleFiles().map((file) => ({
    name: `manifest-${file.replace('.yaml', '')}`,
    calls: creations(readFileSync(join(examples, file), 'utf8')),
  })),
];
