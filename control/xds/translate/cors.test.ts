import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpRouteFilterSchema } from '../../../api/kinds/http-route-filter.ts';
import { CorsPolicy } from '../../../xds/messages.js';
import { CORS_FILTER, corsPolicy, preflightOf } from './cors.ts';

function policyOf(cors: object): CorsPolicy {
  const filter = httpRouteFilterSchema.parse({ type: 'CORS', cors });
  return CorsPolicy.decode(corsPolicy([filter]).typedPerFilterConfig?.[CORS_FILTER]?.value ?? new Uint8Array());
}

test('a CORS filter is Envoy’s policy; who is not named is refused here, not asked of the app', () => {
  const policy = policyOf({
    allowOrigins: ['https://shop.example'],
    allowMethods: ['GET', 'PUT'],
    allowHeaders: ['*', 'x-a'],
    exposeHeaders: ['grpc-status', 'grpc-message'],
    allowCredentials: true,
    maxAge: 600,
  });
  assert.deepEqual(
    [policy.allowMethods, policy.allowHeaders, policy.exposeHeaders, policy.maxAge],
    ['GET, PUT', '*', 'grpc-status, grpc-message', '600'],
  );
  assert.deepEqual([policy.allowCredentials?.value, policy.forwardNotMatchingPreflights?.value], [true, false]);
  assert.deepEqual(corsPolicy([]), {});
});

const ORIGINS: readonly (readonly [origin: string, told: object])[] = [
  ['*', { exact: '*' }],
  ['https://Shop.Example', { exact: 'https://shop.example' }],
  ['https://shop.example:443', { exact: 'https://shop.example' }],
  ['http://shop.example:80', { exact: 'http://shop.example' }],
  ['http://shop.example:443', { exact: 'http://shop.example:443' }],
  ['https://*.example', { regex: String.raw`https://[^/:]*\.example` }],
  ['http://*:8080', { regex: 'http://[^/:]*:8080' }],
];
for (const [origin, told] of ORIGINS) {
  test(`origin ${origin} is told as browsers write it`, () => {
    const [matcher] = policyOf({ allowOrigins: [origin] }).allowOriginStringMatch;
    const { exact, safeRegex } = matcher ?? {};
    assert.deepEqual(exact == null ? { regex: safeRegex?.regex } : { exact }, told);
  });
}

test('a match by method or fields has a route for its preflights, which bring neither', () => {
  const path = { type: 'PathPrefix', value: '/' } as const;
  const name = 'access-control-request-method';
  assert.equal(preflightOf({ path }), undefined);
  assert.deepEqual(preflightOf({ path, method: 'PUT', headers: [{ type: 'Exact', name: 'x', value: '1' }] }), {
    path,
    method: 'OPTIONS',
    headers: [{ type: 'Exact', name, value: 'PUT' }],
  });
  assert.deepEqual(preflightOf({ path, headers: [{ type: 'Exact', name: 'x', value: '1' }] })?.headers, [
    { type: 'RegularExpression', name, value: '.+' },
  ]);
});
