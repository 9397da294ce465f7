import { type TokenRequest, tokenRequestSchema } from '../../../api/kinds/authentication.ts';
import { podKind } from '../../../api/kinds/pod.ts';
import { type ServiceAccount, serviceAccountKind } from '../../../api/kinds/service-account.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { fieldInvalid } from '../../../api/meta/field-error.ts';
import { INGRESS_NAMESPACE, INGRESS_SERVICE_ACCOUNT } from '../../../api/meta/well-known.ts';
import { type Clock, timestamp } from '../../../kit/clock.ts';
import type { ServiceAccountKeys } from '../authn/service-account-keys.ts';
import { ISSUER, signToken, type TokenClaims } from '../authn/service-account-token.ts';
import { nodeOf, type User } from '../authn/user.ts';
import { sendBody } from '../http/answer.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { StoredObjects } from '../verbs/stored-objects.ts';
import { questionIn } from './question.ts';

const REQUEST = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', schema: tokenRequestSchema };

export interface TokenIssuing {
  readonly keys: ServiceAccountKeys;
  readonly objects: StoredObjects;
  readonly clock: Clock;
}

/** POST serviceaccounts/NAME/token: a token of that account, bound to a pod of it where one is named. */
export function serviceAccountTokens(issuing: TokenIssuing): Endpoint {
  const { group, version, kind } = REQUEST;
  return {
    group: '',
    version: 'v1',
    resource: 'serviceaccounts',
    subresource: 'token',
    namespaced: true,
    responseKind: { group, version, kind },
    singular: '',
    shortNames: [],
    categories: [],
    verbs: {
      create: async (call) => {
        const { namespace, name } = call.info;
        const request = questionIn(call, REQUEST);
        requireLifetime(request);
        const account = await issuing.objects.get(serviceAccountKind, { namespace, name });
        if (account === undefined) throw ApiError.notFound(serviceAccountKind, name);
        const answer = await issue(issuing, account, request, call.user);
        sendBody(call.reply.code(201), answer, call.form().representation);
      },
    },
  };
}

/** In seconds: at least ten minutes, at most 2^32. */
const LIFETIME = { min: 600, max: 2 ** 32 };

/** ValidateTokenRequest. */
function requireLifetime({ spec: { expirationSeconds } }: TokenRequest): void {
  const refuse = (detail: string): ApiError =>
    ApiError.invalid(REQUEST, '', [fieldInvalid('spec.expirationSeconds', expirationSeconds, detail)]);
  if (expirationSeconds < LIFETIME.min) throw refuse('may not specify a duration less than 10 minutes');
  if (expirationSeconds > LIFETIME.max) throw refuse('may not specify a duration larger than 2^32 seconds');
}

async function issue(
  issuing: TokenIssuing,
  account: ServiceAccount,
  request: TokenRequest,
  user: User,
): Promise<object> {
  const { keys, clock } = issuing;
  const { audiences, expirationSeconds: lifetimeSeconds } = request.spec;
  const claims = await claimsFor(issuing, account, request, user);
  const nowMs = clock.now();
  const token = await signToken(keys, {
    claims,
    audiences: audiences.length === 0 ? [ISSUER] : audiences,
    nowMs,
    lifetimeSeconds,
  });
  const expirationTimestamp = timestamp(nowMs + lifetimeSeconds * 1000);
  const { name, namespace } = account.metadata;
  return { ...request, metadata: { name, namespace }, status: { token, expirationTimestamp } };
}

/** A pod must be the account's, still be there, and be on the node whose agent asks (noderestriction admission). */
async function claimsFor(
  { objects }: TokenIssuing,
  account: ServiceAccount,
  { spec: { boundObjectRef } }: TokenRequest,
  user: User,
): Promise<TokenClaims> {
  const { name, uid, namespace = '' } = account.metadata;
  const claims = { namespace, serviceaccount: { name, uid } };
  const node = nodeOf(user);
  if (boundObjectRef === undefined) {
    // An ingress proxy is beside no pod: a node's agent may have its token, as any node may be the edge.
    if (node === undefined || (namespace === INGRESS_NAMESPACE && name === INGRESS_SERVICE_ACCOUNT)) return claims;
    throw ApiError.forbidden(serviceAccountKind, name, 'node requested token not bound to a pod');
  }
  if (boundObjectRef.kind !== 'Pod' || boundObjectRef.apiVersion !== 'v1') {
    const wrong = fieldInvalid('spec.boundObjectRef', boundObjectRef, 'only a Pod of v1 can be named');
    throw ApiError.invalid(REQUEST, name, [wrong]);
  }
  const podName = boundObjectRef.name ?? '';
  const pod = await objects.get(podKind, { namespace, name: podName });
  if (pod === undefined) throw ApiError.notFound(podKind, podName);
  if (boundObjectRef.uid && boundObjectRef.uid !== pod.metadata.uid) {
    const why = `the UID in the bound object reference (${boundObjectRef.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw ApiError.conflict(podKind, podName, why);
  }
  if (pod.spec.serviceAccountName !== name) {
    throw ApiError.badRequest(
      `cannot bind token for serviceaccount "${name}" to pod running with different serviceaccount name.`,
    );
  }
  if (node !== undefined && pod.spec.nodeName !== node) {
    throw ApiError.forbidden(
      serviceAccountKind,
      name,
      'node requested token bound to a pod scheduled on a different node',
    );
  }
  return { ...claims, pod: { name: podName, uid: pod.metadata.uid } };
}
