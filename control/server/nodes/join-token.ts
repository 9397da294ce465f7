import { hash, timingSafeEqual } from 'node:crypto';
import type { ObjectRef } from '../../../api/client/client.ts';
import type { Secret } from '../../../api/kinds/secret.ts';
import { JOIN_TOKEN_NAMESPACE, JOIN_TOKEN_PREFIX, JOIN_TOKEN_TYPE } from '../../../api/meta/well-known.ts';

const FORM = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;

/** Everyone with a join token (k8s.io/cluster-bootstrap/token/api). */
const GROUP = 'system:bootstrappers';
const USER_PREFIX = 'system:bootstrap:';

export interface JoinTokenText {
  readonly id: string;
  readonly secret: string;
}

/** `abcdef.0123456789abcdef`; undefined for any other text. */
export function parseJoinToken(text: string): JoinTokenText | undefined {
  const [, id, secret] = FORM.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

export function joinTokenRef(id: string): Required<ObjectRef> {
  return { namespace: JOIN_TOKEN_NAMESPACE, name: JOIN_TOKEN_PREFIX + id };
}

export function joinTokenUser(id: string, extraGroups: readonly string[]): { name: string; groups: string[] } {
  return { name: USER_PREFIX + id, groups: [GROUP, ...extraGroups, 'system:authenticated'] };
}

/** The id of the token by which this user came, or undefined for anyone else. */
export function joinTokenOf(user: { readonly name: string; readonly groups: readonly string[] }): string | undefined {
  if (!user.groups.includes(GROUP) || !user.name.startsWith(USER_PREFIX)) return undefined;
  return user.name.slice(USER_PREFIX.length);
}

export type JoinTokenVerdict =
  | { readonly ok: true; readonly extraGroups: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/**
 * Whether a token is good (plugin/pkg/auth/authenticator/token/bootstrap). One that is not known and one with another
 * secret are told in the same words; what else is wrong is told only to who has the secret.
 */
export function judgeJoinToken(
  { id, secret }: JoinTokenText,
  stored: Secret | undefined,
  nowMs: number,
): JoinTokenVerdict {
  const field = (name: string): string => Buffer.from(stored?.data?.[name] ?? '', 'base64').toString();
  const isKnown =
    stored !== undefined &&
    stored.type === JOIN_TOKEN_TYPE &&
    stored.metadata.deletionTimestamp === undefined &&
    field('token-id') === id;
  // Compared by digest, so that neither content nor length takes a time of its own.
  const isSame = timingSafeEqual(hash('sha256', field('token-secret'), 'buffer'), hash('sha256', secret, 'buffer'));
  if (!isKnown || !isSame) return refused(id, 'is not known; list those that are with "tutti token list"');
  const expiration = field('expiration');
  if (expiration !== '' && !(Date.parse(expiration) > nowMs)) {
    return refused(id, `has expired at ${expiration}; make another with "tutti token create"`);
  }
  if (field('usage-bootstrap-authentication') !== 'true') {
    return refused(id, 'may not be used to authenticate (usage-bootstrap-authentication is not "true")');
  }
  const extra = field('auth-extra-groups').split(',');
  // Other groups would let a token be more than a token (bootstrapapi.BootstrapGroupPattern).
  return { ok: true, extraGroups: extra.filter((group) => /^system:bootstrappers:[a-z0-9:-]*[a-z0-9]$/.test(group)) };
}

function refused(id: string, why: string): JoinTokenVerdict {
  return { ok: false, reason: `join token "${id}" ${why}` };
}
