import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Client } from '../../../api/client/client.ts';
import { type Node, nodeKind } from '../../../api/kinds/node.ts';
import {
  type NodeCertificateRequest,
  nodeCertificateRequestSchema,
} from '../../../api/kinds/node-certificate-request.ts';
import { secretKind } from '../../../api/kinds/secret.ts';
import { ApiError, hasCode } from '../../../api/meta/api-error.ts';
import { NODE_CERTIFICATES, TOKEN_USED_AT, TOKEN_USED_BY, TOKEN_USED_KEY } from '../../../api/meta/well-known.ts';
import { IssueRefusedError } from '../../../certs/authority/refusal.ts';
import { type Clock, timestamp } from '../../../kit/clock.ts';
import type { Logger } from '../../../kit/log.ts';
import { nodeOf } from '../authn/user.ts';
import { sendBody } from '../http/answer.ts';
import { type ApiCall, createOnly, type Endpoint } from '../http/endpoint.ts';
import { questionIn } from '../reviews/question.ts';
import type { StoredObjects } from '../verbs/stored-objects.ts';
import { decideJoin } from './decide-join.ts';
import { joinTokenOf, joinTokenRef } from './join-token.ts';
import { fingerprintOf, type NodeCredentials } from './node-credentials.ts';

const RESOURCE = { group: 'tutti.dev', version: 'v1alpha1', plural: 'nodecertificaterequests' };
const REQUEST = { ...RESOURCE, kind: 'NodeCertificateRequest', schema: nodeCertificateRequestSchema };

export interface SignedNode {
  readonly certificateChainPem: string;
  readonly trustBundlePem: string;
  readonly notAfterMs: number;
  /** SHA-256 of the public key, in hex. */
  readonly keyHash: string;
}

/** Throws IssueRefusedError for a CSR that the authority does not sign. */
export type SignNode = (request: {
  readonly csrPem: string;
  readonly node: string;
  readonly ttlSeconds?: number;
}) => SignedNode;

export interface NodeCertificateServing {
  readonly sign: SignNode;
  readonly objects: StoredObjects;
  readonly credentials: NodeCredentials;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
}

/** POST: the first certificate of a machine with a join token, and the next one of a node that has one. */
export function nodeCertificateRequests(serving: NodeCertificateServing): Endpoint {
  const { group, version, kind, plural: resource } = REQUEST;
  return createOnly({ group, version, kind, resource, namespaced: false }, async (call) => {
    const request = questionIn(call, REQUEST);
    const { nodeName } = request.spec;
    try {
      const signed = sign(serving, request);
      await admit(serving, call, nodeName, signed);
      serving.log.info({ node: nodeName, by: call.user.name }, 'certificate issued to a node');
      sendBody(call.reply.code(201), answerWith(request, signed), call.form().representation);
    } catch (error) {
      const why = { node: nodeName, by: call.user.name, reason: (error as Error).message };
      if (error instanceof ApiError && error.code < 500) serving.log.warn(why, 'certificate of a node refused');
      throw error;
    }
  });
}

function sign({ sign: signNode }: NodeCertificateServing, { spec }: NodeCertificateRequest): SignedNode {
  const { csr, nodeName, ttlSeconds } = spec;
  try {
    return signNode({ csrPem: csr, node: nodeName, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) });
  } catch (error) {
    if (!(error instanceof IssueRefusedError)) throw error;
    const field = error.reason === 'invalid-ttl' ? 'spec.ttlSeconds' : 'spec.csr';
    const message = `Invalid value: ${error.message} (${error.reason})`;
    throw ApiError.invalid(REQUEST, nodeName, [{ type: 'FieldValueInvalid', field, message }]);
  }
}

/** Writes down that the certificate is the node's; throws ApiError 403 or 409 when it may not have it. */
async function admit(serving: NodeCertificateServing, call: ApiCall, node: string, signed: SignedNode): Promise<void> {
  const tokenId = joinTokenOf(call.user);
  const fresh = fingerprintOf(new X509Certificate(signed.certificateChainPem));
  if (tokenId === undefined) {
    const shown = (call.request.raw.socket as TLSSocket).getPeerCertificate();
    await refuseOthers(serving, call, node);
    // Until the agent has the answer it shows the one before: both are good.
    await nameCertificates(serving.client, node, [fresh, fingerprintOf(shown)]);
    return;
  }
  await useToken(serving, tokenId, node, signed.keyHash);
  await nameCertificates(serving.client, node, [fresh]);
}

async function refuseOthers({ credentials }: NodeCertificateServing, call: ApiCall, node: string): Promise<void> {
  const own = nodeOf(call.user);
  if (own === undefined)
    throw forbidden(node, `user ${JSON.stringify(call.user.name)} is neither a node nor has a join token`);
  if (own !== node) throw forbidden(node, `node "${own}" asks for the certificate of node "${node}"`);
  const shown = (call.request.raw.socket as TLSSocket).getPeerCertificate();
  if (Object.keys(shown).length > 0 && credentials.hasJoined(shown, node)) return;
  throw forbidden(node, 'its credentials are written by the control plane of its own state folder, at each start');
}

/** Marks the token as this node's. Who comes second, even at the same moment, finds the mark. */
async function useToken(
  serving: NodeCertificateServing,
  tokenId: string,
  node: string,
  keyHash: string,
): Promise<void> {
  const { objects, client, clock } = serving;
  const token = await objects.get(secretKind, joinTokenRef(tokenId));
  if (token === undefined) throw forbidden(node, `join token "${tokenId}" was deleted`);
  const present = await objects.get(nodeKind, { name: node });
  const decision = decideJoin({ node, keyHash, tokenId, token, present, nowMs: clock.now() });
  if (!decision.ok) {
    if (decision.reason === 'name-taken') throw ApiError.conflict(nodeKind, node, decision.message);
    throw forbidden(node, decision.message);
  }
  const { metadata } = token;
  const used = { [TOKEN_USED_BY]: node, [TOKEN_USED_KEY]: keyHash, [TOKEN_USED_AT]: timestamp(clock.now()) };
  try {
    // With the version that was judged: a second use in the meantime is a conflict.
    await client.update(secretKind, {
      ...token,
      metadata: { ...metadata, annotations: { ...metadata.annotations, ...used } },
    });
  } catch (error) {
    if (!hasCode(error, 409)) throw error;
    await useToken(serving, tokenId, node, keyHash);
  }
}

/** The Node says which certificates are its own; a machine that joins has none yet. */
async function nameCertificates(client: Client, name: string, fingerprints: readonly string[]): Promise<void> {
  const metadata: Partial<Node['metadata']> = { name, annotations: { [NODE_CERTIFICATES]: fingerprints.join(',') } };
  try {
    await client.patch(nodeKind, { name }, { metadata }, { type: 'merge' });
  } catch (error) {
    if (!hasCode(error, 404)) throw error;
    await client.create(nodeKind, { metadata, spec: {} });
  }
}

function answerWith(request: NodeCertificateRequest, signed: SignedNode): NodeCertificateRequest {
  return {
    ...request,
    status: {
      certificateChain: signed.certificateChainPem,
      trustBundle: signed.trustBundlePem,
      expirationTimestamp: timestamp(signed.notAfterMs),
    },
  };
}

function forbidden(node: string, why: string): ApiError {
  return ApiError.forbidden(RESOURCE, node, why);
}
