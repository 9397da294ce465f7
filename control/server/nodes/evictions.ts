import { evictionSchema } from '../../../api/kinds/eviction.ts';
import { podKind } from '../../../api/kinds/pod.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { sendBody } from '../http/answer.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { deleteOptions } from '../http/query-options.ts';
import { questionIn } from '../reviews/question.ts';
import { deleteObject } from '../verbs/delete.ts';
import type { VerbContext } from '../verbs/verb-context.ts';

const REQUEST = { group: 'policy', version: 'v1', kind: 'Eviction', schema: evictionSchema };

/**
 * POST pods/NAME/eviction (registry/core/pod/storage/eviction.go): `kubectl drain` looks for it in discovery. There are no
 * PodDisruptionBudgets, so none stands in the way.
 */
export function podEvictions(verbs: VerbContext): Endpoint {
  const { group, version, kind } = REQUEST;
  return {
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: 'eviction',
    namespaced: true,
    responseKind: { group, version, kind },
    singular: '',
    shortNames: [],
    categories: [],
    verbs: {
      create: async (call) => {
        const { namespace, name } = call.info;
        const { metadata, deleteOptions: asked } = questionIn(call, REQUEST);
        if (metadata.name && metadata.name !== name) {
          throw ApiError.badRequest('name in URL does not match name in Eviction object');
        }
        const options = deleteOptions(call.query, asked);
        await deleteObject(verbs, podKind, { ...options, ref: { namespace, name }, user: call.user });
        const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
        sendBody(call.reply.code(201), success, call.form().representation);
      },
    },
  };
}
