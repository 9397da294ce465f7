import { CLUSTER_INFO } from '../../../api/meta/well-known.ts';
import type { Attributes } from './attributes.ts';

/** A grant in the form of an RBAC PolicyRule: everything listed in one is allowed together. */
export interface Rule {
  readonly groups: readonly string[];
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  /** `pods`, `pods/status`, or `*`. */
  readonly resources?: readonly string[];
  readonly paths?: readonly string[];
  /** Only this one object; any when missing. */
  readonly object?: { readonly namespace: string; readonly name: string };
}

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'update', 'patch', 'delete'];

/** Paths that tell nothing of the cluster but that it is there (system:public-info-viewer). */
const PUBLIC_PATHS = ['/healthz', '/livez', '/readyz', '/version', '/version/'];

/** Discovery and documents (system:discovery). */
const DISCOVERY_PATHS = [...PUBLIC_PATHS, '/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*'];

const ANYONE = ['system:authenticated', 'system:unauthenticated'];

/** Who may do what. There is no RBAC yet: this table is all of it. */
export const RULES: readonly Rule[] = [
  { groups: ['system:masters'], verbs: ['*'], apiGroups: ['*'], resources: ['*'], paths: ['*'] },
  { groups: ANYONE, verbs: ['get', 'head'], paths: PUBLIC_PATHS },
  { groups: ['system:authenticated'], verbs: ['get', 'head'], paths: DISCOVERY_PATHS },
  // Who joins has nothing yet but the CA's pin (kubeadm:bootstrap-signer-clusterinfo).
  {
    groups: ANYONE,
    verbs: ['get'],
    apiGroups: [''],
    resources: ['configmaps'],
    object: { namespace: 'kube-public', name: CLUSTER_INFO },
  },
  // A machine with a join token asks for its certificate, and a node for its next one.
  {
    groups: ['system:bootstrappers', 'system:nodes'],
    verbs: ['create'],
    apiGroups: ['tutti.dev'],
    resources: ['nodecertificaterequests'],
  },
  // system:basic-user: everyone may ask who they are and what they may do.
  {
    groups: ['system:authenticated'],
    verbs: ['create'],
    apiGroups: ['authentication.k8s.io'],
    resources: ['selfsubjectreviews'],
  },
  {
    groups: ['system:authenticated'],
    verbs: ['create'],
    apiGroups: ['authorization.k8s.io'],
    resources: ['selfsubjectaccessreviews'],
  },
  // What an agent needs; which of the objects are its own, admission knows (node-restriction.ts).
  { groups: ['system:nodes'], verbs: READ, apiGroups: ['*'], resources: ['*'] },
  { groups: ['system:nodes'], verbs: WRITE, apiGroups: [''], resources: ['nodes', 'nodes/status', 'events'] },
  { groups: ['system:nodes'], verbs: ['create', 'delete', 'update', 'patch'], apiGroups: [''], resources: ['pods'] },
  { groups: ['system:nodes'], verbs: ['update', 'patch'], apiGroups: [''], resources: ['pods/status'] },
  { groups: ['system:nodes'], verbs: WRITE, apiGroups: ['coordination.k8s.io'], resources: ['leases'] },
  { groups: ['system:nodes'], verbs: ['create'], apiGroups: [''], resources: ['serviceaccounts/token'] },
  {
    groups: ['system:nodes'],
    verbs: ['create'],
    apiGroups: ['authentication.k8s.io'],
    resources: ['tokenreviews'],
  },
  // A workload asks for its own SVID: the identity comes from its token.
  {
    groups: ['system:serviceaccounts'],
    verbs: ['create'],
    apiGroups: ['tutti.dev'],
    resources: ['svidrequests'],
  },
];

/** Whether the rule grants this; who asks is not looked at. */
export function grants(rule: Rule, attributes: Attributes): boolean {
  if (!includes(rule.verbs, attributes.verb)) return false;
  if (attributes.type === 'path') {
    return (rule.paths ?? []).some((path) =>
      path.endsWith('*') ? attributes.path.startsWith(path.slice(0, -1)) : attributes.path === path,
    );
  }
  const { group, resource, subresource, namespace, name } = attributes;
  const { object } = rule;
  if (object !== undefined && (object.namespace !== namespace || object.name !== name)) return false;
  const wanted = subresource === '' ? resource : `${resource}/${subresource}`;
  return includes(rule.apiGroups ?? [], group) && includes(rule.resources ?? [], wanted);
}

function includes(allowed: readonly string[], value: string): boolean {
  return allowed.includes('*') || allowed.includes(value);
}
