import { ApiError } from '../../../api/meta/api-error.ts';
import type { User } from '../authn/user.ts';
import type { Attributes } from './attributes.ts';
import { grants, RULES } from './rules.ts';

/** Whether the table grants it to one of the user's groups. */
export function isAllowed(user: User, attributes: Attributes): boolean {
  return RULES.some((rule) => rule.groups.some((group) => user.groups.includes(group)) && grants(rule, attributes));
}

/** Throws 403 in Kubernetes' words (endpoints/handlers/responsewriters/errors.go). */
export function requireAllowed(user: User, attributes: Attributes): void {
  if (isAllowed(user, attributes)) return;
  const who = `User ${JSON.stringify(user.name)}`;
  if (attributes.type === 'path') {
    throw new ApiError({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `forbidden: ${who} cannot ${attributes.verb} path ${JSON.stringify(attributes.path)}`,
      reason: 'Forbidden',
      details: {},
      code: 403,
    });
  }
  const { verb, group, resource, subresource, namespace, name } = attributes;
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  const why = `${who} cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}`;
  throw ApiError.forbidden({ group, plural: resource }, name, why);
}
