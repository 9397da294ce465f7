import protobuf from 'protobufjs/minimal.js';
import { ApiError } from '../../../api/meta/api-error.ts';
import { deployment } from './apps-messages.ts';
import { configMap, namespace, secret, service, serviceAccount } from './core-messages.ts';
import { type Message, readMessage } from './message.ts';
import { deleteOptions } from './meta-messages.ts';
import { selfSubjectAccessReview, selfSubjectReview, tokenRequest, tokenReview } from './review-messages.ts';

/** What Kubernetes' protobuf begins with (apimachinery/pkg/runtime/serializer/protobuf). */
const MAGIC = 'k8s\0';

/** What kubectl sends in this form whatever the server says it takes: its typed commands know no other. */
const MESSAGES: Readonly<Record<string, Message>> = {
  'v1/Namespace': namespace,
  'v1/ConfigMap': configMap,
  'v1/Secret': secret,
  'v1/ServiceAccount': serviceAccount,
  'v1/Service': service,
  'apps/v1/Deployment': deployment,
  'authentication.k8s.io/v1/SelfSubjectReview': selfSubjectReview,
  'authentication.k8s.io/v1/TokenRequest': tokenRequest,
  'authentication.k8s.io/v1/TokenReview': tokenReview,
  'authorization.k8s.io/v1/SelfSubjectAccessReview': selfSubjectAccessReview,
};

/** The object in a body of `application/vnd.kubernetes.protobuf`. Throws ApiError 400 or 415. */
export function readProtobuf(body: Uint8Array): object {
  if (Buffer.from(body.subarray(0, MAGIC.length)).toString('latin1') !== MAGIC) {
    throw ApiError.badRequest('the body is not protobuf of Kubernetes: it does not begin with "k8s\\0"');
  }
  const { apiVersion, kind, raw } = readUnknown(body.subarray(MAGIC.length));
  const type = kind === 'DeleteOptions' ? deleteOptions : MESSAGES[`${apiVersion}/${kind}`];
  if (type === undefined) {
    throw ApiError.unsupportedMediaType(
      `protobuf: ${kind} of ${apiVersion} is not known in this form; send application/json`,
    );
  }
  return { apiVersion, kind, ...readMessage(type, raw) };
}

interface Unknown {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
}

/** runtime.Unknown: the type, and the object as bytes. */
function readUnknown(bytes: Uint8Array): Unknown {
  try {
    const reader = protobuf.Reader.create(bytes);
    let type: Pick<Unknown, 'apiVersion' | 'kind'> = { apiVersion: '', kind: '' };
    let raw = new Uint8Array();
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag >>> 3 === 1) type = readTypeMeta(reader.bytes());
      else if (tag >>> 3 === 2) raw = reader.bytes() as Uint8Array<ArrayBuffer>;
      else reader.skipType(tag & 7);
    }
    return { ...type, raw };
  } catch (error) {
    throw ApiError.badRequest(`the body is not protobuf: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readTypeMeta(bytes: Uint8Array): Pick<Unknown, 'apiVersion' | 'kind'> {
  const reader = protobuf.Reader.create(bytes);
  let [apiVersion, kind] = ['', ''];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) apiVersion = reader.string();
    else if (tag >>> 3 === 2) kind = reader.string();
    else reader.skipType(tag & 7);
  }
  return { apiVersion, kind };
}
