import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ApiError } from '../../../api/meta/api-error.ts';
import { parseUrl, type RequestInfo, requestInfo } from './request-info.ts';

function read(line: string): RequestInfo {
  const [method = '', target = ''] = line.split(' ');
  return requestInfo(method, parseUrl(target));
}

function words(info: RequestInfo): string {
  if (info.type === 'path') return `${info.verb} path ${info.path}`;
  const { verb, group, version, resource, subresource, namespace, name } = info;
  return `${verb} ${group}/${version} ${resource}${subresource === '' ? '' : `/${subresource}`} ns=${namespace} name=${name}`;
}

const cases: readonly (readonly [line: string, meaning: string])[] = [
  ['GET /api/v1/pods', 'list /v1 pods ns= name='],
  ['GET /api/v1/pods?watch=true', 'watch /v1 pods ns= name='],
  ['GET /api/v1/pods?watch=1', 'watch /v1 pods ns= name='],
  ['GET /api/v1/pods?watch=false', 'list /v1 pods ns= name='],
  ['GET /api/v1/namespaces/shop/pods/web', 'get /v1 pods ns=shop name=web'],
  ['GET /api/v1/namespaces/shop/pods/web/log?follow=1', 'get /v1 pods/log ns=shop name=web'],
  ['POST /api/v1/namespaces/shop/serviceaccounts/web/token', 'create /v1 serviceaccounts/token ns=shop name=web'],
  ['GET /api/v1/namespaces', 'list /v1 namespaces ns= name='],
  ['GET /api/v1/namespaces/shop', 'get /v1 namespaces ns=shop name=shop'],
  ['PUT /api/v1/namespaces/shop/finalize', 'update /v1 namespaces/finalize ns=shop name=shop'],
  ['PATCH /api/v1/namespaces/shop/status', 'patch /v1 namespaces/status ns=shop name=shop'],
  ['DELETE /apis/apps/v1/namespaces/shop/deployments', 'deletecollection apps/v1 deployments ns=shop name='],
  ['DELETE /apis/apps/v1/namespaces/shop/deployments/web', 'delete apps/v1 deployments ns=shop name=web'],
  ['PATCH /apis/apps/v1/namespaces/shop/deployments/web/scale', 'patch apps/v1 deployments/scale ns=shop name=web'],
  ['GET /api/v1/nodes/a', 'get /v1 nodes ns= name=a'],
  ['GET /api', 'get path /api'],
  ['GET /api/v1', 'get path /api/v1'],
  ['GET /apis/apps/v1', 'get path /apis/apps/v1'],
  ['GET /healthz', 'get path /healthz'],
  ['GET /openapi/v3/apis/apps/v1?hash=x', 'get path /openapi/v3/apis/apps/v1'],
  ['GET /api/v1/namespaces/shop/pods/..%2f..%2f..%2fx', 'refused'],
  ['GET /api/v1/namespaces/kube-system%2Fsecrets/pods', 'refused'],
  ['GET /api/v1/namespaces/shop/pods/%00', 'refused'],
  ['GET /api/v1/namespaces/shop/pods/%E0%A4', 'refused'],
  [`GET /api/v1/pods/${'x'.repeat(254)}`, 'refused'],
  ['GET http://evil/api', 'refused'],
  ['GET *', 'refused'],
];

for (const [line, meaning] of cases) {
  test(`${line.slice(0, 80)} means: ${meaning}`, () => {
    if (meaning !== 'refused') {
      assert.equal(words(read(line)), meaning);
      return;
    }
    assert.throws(
      () => read(line),
      (error) => error instanceof ApiError && error.code === 400,
    );
  });
}

test('dots in a path are resolved before anything is authorized, so that both see the same', () => {
  assert.equal(words(read('GET /healthz/../api/v1/secrets')), 'list /v1 secrets ns= name=');
  assert.equal(words(read('GET /api/v1/secrets/../../../healthz')), 'get path /healthz');
});

test('any target is read or refused with 400, and names never hold what would reach another key', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('GET', 'POST', 'DELETE'), (tail, method) => {
      try {
        const info = requestInfo(method, parseUrl(`/api/v1/namespaces/${tail}`));
        if (info.type === 'resource') assert.doesNotMatch(info.namespace + info.name, /[/%]|[^\x20-\x7e]/);
      } catch (error) {
        assert.ok(error instanceof ApiError && error.code === 400, String(error));
      }
    }),
  );
});
