import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { User } from './user.ts';

/**
 * Who the caller wants to be taken for (`kubectl --as`, `--as-group`): the headers Impersonate-User and
 * Impersonate-Group. Only administrators may; for anyone else it is 403, because leaving the headers unread would
 * do as the caller what was meant as another.
 */
export function impersonate(user: User, headers: IncomingHttpHeaders): User {
  const name = one(headers['impersonate-user']);
  const groups = list(headers['impersonate-group']);
  if (name === undefined && groups.length === 0) return user;
  if (name === undefined)
    throw ApiError.badRequest('Impersonate-Group without Impersonate-User: name the user as well');
  if (!user.groups.includes('system:masters')) {
    const why = `User ${JSON.stringify(user.name)} cannot impersonate resource "users" in API group "" at the cluster scope`;
    throw ApiError.forbidden({ group: '', plural: 'users' }, name, why);
  }
  return { name, groups: [...new Set([...groups, 'system:authenticated'])], extra: {} };
}

function one(value: string | string[] | undefined): string | undefined {
  return list(value)[0];
}

/** node:http joins repeated headers with commas. */
function list(value: string | string[] | undefined): readonly string[] {
  return [value ?? []]
    .flat()
    .flatMap((text) => text.split(',').map((part) => part.trim()))
    .filter((part) => part !== '');
}
