/** Who asks: Kubernetes' user.Info. */
export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'], extra: {} };

/** The control plane's own controllers, which call the verbs in process. */
export const CONTROL_PLANE: User = {
  name: 'system:tutti:control',
  groups: ['system:masters', 'system:authenticated'],
  extra: {},
};

const NODE_PREFIX = 'system:node:';

/** The node whose agent this is, or undefined for anyone else. */
export function nodeOf(user: User): string | undefined {
  if (!user.groups.includes('system:nodes') || !user.name.startsWith(NODE_PREFIX)) return undefined;
  return user.name.slice(NODE_PREFIX.length);
}

export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

export function serviceAccountUser({ namespace, name }: ServiceAccountName): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** The ServiceAccount that this user is, or undefined for anyone else. */
export function serviceAccountOf(user: User): ServiceAccountName | undefined {
  const [system, kind, namespace, name] = user.name.split(':');
  if (system !== 'system' || kind !== 'serviceaccount' || !namespace || !name) return undefined;
  return user.groups.includes('system:serviceaccounts') ? { namespace, name } : undefined;
}
