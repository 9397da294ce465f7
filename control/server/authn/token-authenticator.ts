import { podKind } from '../../../api/kinds/pod.ts';
import { secretKind } from '../../../api/kinds/secret.ts';
import { serviceAccountKind } from '../../../api/kinds/service-account.ts';
import type { Clock } from '../../../kit/clock.ts';
import {
  type JoinTokenText,
  joinTokenRef,
  joinTokenUser,
  judgeJoinToken,
  parseJoinToken,
} from '../nodes/join-token.ts';
import type { StoredObjects } from '../verbs/stored-objects.ts';
import type { ServiceAccountKeys } from './service-account-keys.ts';
import { type VerifiedToken, verifyToken } from './service-account-token.ts';
import { serviceAccountUser, type User } from './user.ts';

export type TokenAnswer =
  | { readonly ok: true; readonly user: User; readonly audiences: readonly string[] }
  /** `proven`: the token was one of ours once; its sender may be told why it is no more. */
  | { readonly ok: false; readonly reason: string; readonly proven?: true };

export interface TokenAuthenticatorOptions {
  readonly keys: ServiceAccountKeys;
  readonly objects: StoredObjects;
  readonly clock: Clock;
}

/** Tells whose a bearer token is: one of ours, of an account that is still there, for a pod that is still there. */
export class TokenAuthenticator {
  readonly #options: TokenAuthenticatorOptions;

  constructor(options: TokenAuthenticatorOptions) {
    this.#options = options;
  }

  async authenticate(text: string, audiences: readonly string[]): Promise<TokenAnswer> {
    const { keys, clock } = this.#options;
    const join = parseJoinToken(text);
    if (join !== undefined) return await this.#joinToken(join, audiences);
    const verdict = await verifyToken(keys, text, { audiences, nowMs: clock.now() });
    if (!verdict.ok) return verdict;
    const gone = await this.#gone(verdict.token);
    if (gone !== undefined) return { ok: false, reason: gone, proven: true };
    return { ok: true, user: userOf(verdict.token), audiences: verdict.token.audiences };
  }

  /** What is told of a join token gives nothing away to who has no secret of one: see judgeJoinToken. */
  async #joinToken(token: JoinTokenText, audiences: readonly string[]): Promise<TokenAnswer> {
    const { objects, clock } = this.#options;
    const stored = await objects.get(secretKind, joinTokenRef(token.id));
    const verdict = judgeJoinToken(token, stored, clock.now());
    if (!verdict.ok) return { ...verdict, proven: true };
    return { ok: true, user: { ...joinTokenUser(token.id, verdict.extraGroups), extra: {} }, audiences };
  }

  /** What the token was bound to and is no more; a new one of the same name does not count. */
  async #gone({ namespace, serviceaccount, pod }: VerifiedToken): Promise<string | undefined> {
    const { objects } = this.#options;
    const account = await objects.get(serviceAccountKind, { namespace, name: serviceaccount.name });
    if (account?.metadata.uid !== serviceaccount.uid)
      return `service account ${namespace}/${serviceaccount.name} is gone`;
    if (pod === undefined) return undefined;
    const bound = await objects.get(podKind, { namespace, name: pod.name });
    return bound?.metadata.uid === pod.uid ? undefined : `pod ${namespace}/${pod.name} is gone`;
  }
}

/** k8s.io/kubernetes/pkg/serviceaccount, UserInfo. */
function userOf({ namespace, serviceaccount, pod, node, id }: VerifiedToken): User {
  return {
    name: serviceAccountUser({ namespace, name: serviceaccount.name }),
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra: {
      'authentication.kubernetes.io/credential-id': [`JTI=${id}`],
      ...(pod === undefined
        ? {}
        : {
            'authentication.kubernetes.io/pod-name': [pod.name],
            'authentication.kubernetes.io/pod-uid': [pod.uid],
          }),
      ...(node === undefined
        ? {}
        : {
            'authentication.kubernetes.io/node-name': [node.name],
            'authentication.kubernetes.io/node-uid': [node.uid],
          }),
    },
  };
}
