import { type Any, CorsPolicy as CorsPolicyMessage } from '../../../xds/messages.js';
import type { CorsPolicy } from '../../route/route-table.ts';
import { isAny } from './unpack.ts';
import { stringMatcher } from './value-match.ts';

/** A route's policy, under whatever name the listener has the filter. Undefined when it has none. */
export function corsPolicy(perFilter: Readonly<Record<string, Any>>): CorsPolicy | undefined {
  const any = Object.values(perFilter).find((config) => isAny(config, CorsPolicyMessage));
  if (any === undefined) return undefined;
  const policy = CorsPolicyMessage.decode(any.value);
  return {
    origins: policy.allowOriginStringMatch.map((matcher) =>
      matcher.exact === '*' ? ANY_ORIGIN : stringMatcher('origin', matcher),
    ),
    methods: policy.allowMethods,
    headers: policy.allowHeaders,
    exposeHeaders: policy.exposeHeaders,
    maxAge: policy.maxAge,
    credentials: policy.allowCredentials?.value === true,
    // Envoy: CorsPolicy.forward_not_matching_preflights.
    forwardStrangers: policy.forwardNotMatchingPreflights?.value ?? true,
  };
}

const ANY_ORIGIN = { kind: 'regex', name: 'origin', value: '.*' } as const;
