import { escapeRegex } from '../../../api/meta/escape-regex.ts';
import type { HeaderMatcher, QueryParameterMatcher, StringMatcher } from '../../../xds/messages.js';
import type { ValueMatch } from '../../route/route-table.ts';
import { ResourceError } from './unpack.ts';

/** A condition on a header or a query parameter. */
export function valueMatch(matcher: HeaderMatcher | QueryParameterMatcher): ValueMatch {
  const { name, stringMatch, presentMatch } = matcher;
  if ('invertMatch' in matcher && matcher.invertMatch) throw new ResourceError(`match of "${name}": is inverted`);
  if (stringMatch !== null) return stringMatcher(name, stringMatch);
  if (presentMatch === false) throw new ResourceError(`match of "${name}": is for its absence`);
  return { kind: 'regex', name, value: '.*' };
}

export function stringMatcher(name: string, matcher: StringMatcher): ValueMatch {
  const { exact, prefix, suffix, contains, safeRegex, ignoreCase } = matcher;
  if (exact !== null && !ignoreCase) return { kind: 'exact', name, value: exact };
  const regex = (text: string): ValueMatch => ({ kind: 'regex', name, value: ignoreCase ? `(?i)${text}` : text });
  if (exact !== null) return regex(escapeRegex(exact));
  if (prefix !== null) return regex(`${escapeRegex(prefix)}.*`);
  if (suffix !== null) return regex(`.*${escapeRegex(suffix)}`);
  if (contains !== null) return regex(`.*${escapeRegex(contains)}.*`);
  if (safeRegex !== null) return { kind: 'regex', name, value: safeRegex.regex };
  throw new ResourceError(`match of "${name}": has no pattern`);
}
