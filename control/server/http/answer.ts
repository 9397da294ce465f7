import type { FastifyReply } from 'fastify';
import { stringify } from 'yaml';
import { apiVersionOf, type Kind, type KubeObject } from '../../../api/kinds/kind.ts';
import type { ApiError } from '../../../api/meta/api-error.ts';
import type { ObjectList } from '../verbs/list.ts';
import type { Representation } from './accept.ts';
import { jsonText } from './json-text.ts';
import { metadataOf, type TableOptions, tableOf } from './table.ts';

/** An answer of the API and the form that its client wants it in. */
export interface AnswerForm extends TableOptions {
  readonly representation: Representation;
}

export function sendObject<T extends KubeObject>(
  reply: FastifyReply,
  kind: Kind<T>,
  object: T,
  form: AnswerForm,
): FastifyReply {
  switch (form.representation.as) {
    case 'object':
      return sendBody(reply, object, form.representation);
    case 'table': {
      const { resourceVersion } = object.metadata;
      return sendBody(reply, tableOf(kind, [object], { resourceVersion }, form), form.representation);
    }
    case 'metadata':
      return sendBody(reply, metadataOf(object), form.representation);
    default:
      return form.representation.as satisfies never;
  }
}

export function sendList<T extends KubeObject>(
  reply: FastifyReply,
  kind: Kind<T>,
  list: ObjectList<T>,
  form: AnswerForm,
): FastifyReply {
  const { items, ...metadata } = list;
  const { encoding, as } = form.representation;
  if (as === 'table') return sendBody(reply, tableOf(kind, items, metadata, form), form.representation);
  const head =
    as === 'object'
      ? { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata }
      : { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata };
  const shown = as === 'object' ? items : items.map(metadataOf);
  if (encoding === 'yaml') {
    const bare = (object: object): object => ({ ...object, apiVersion: undefined, kind: undefined });
    const items = as === 'object' && !kind.custom ? shown.map(bare) : shown;
    return sendBody(reply, { ...head, items }, form.representation);
  }
  // Each object's own text is reused; only the head is written anew.
  const own = as === 'object' && !kind.custom ? identityText(kind) : '';
  const texts = shown.map((object) => withoutIdentity(jsonText(object), own));
  const text = `${JSON.stringify(head).slice(0, -1)},"items":[${texts.join(',')}]}`;
  return reply.type('application/json').send(text);
}

/** What the text of every object of the kind begins with. */
function identityText<T extends KubeObject>(kind: Kind<T>): string {
  return `"apiVersion":${JSON.stringify(apiVersionOf(kind))},"kind":${JSON.stringify(kind.kind)},`;
}

/** Items of a list say of their kind what the list says: nothing, but for custom kinds. */
function withoutIdentity(text: string, identity: string): string {
  return identity !== '' && text.startsWith(identity, 1) ? `{${text.slice(identity.length + 1)}` : text;
}

/** What is no object of a kind: a Status, a Scale, a review. */
export function sendBody(
  reply: FastifyReply,
  body: object,
  { encoding }: Pick<Representation, 'encoding'>,
): FastifyReply {
  return encoding === 'yaml'
    ? reply.type('application/yaml').send(stringify(JSON.parse(jsonText(body)), { aliasDuplicateObjects: false }))
    : reply.type('application/json').send(jsonText(body));
}

export function sendError(reply: FastifyReply, { status }: ApiError): FastifyReply {
  const { retryAfterSeconds } = status.details ?? {};
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(retryAfterSeconds));
  return reply.code(status.code).type('application/json').send(JSON.stringify(status));
}
