import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileCors } from './cors.ts';
import { compileEdits } from './header-edits.ts';
import type { RoutedRequest } from './match.ts';
import type { CorsPolicy } from './route-table.ts';

const SHOP = 'https://shop.example';

function policy(more: Partial<CorsPolicy> = {}): CorsPolicy {
  return {
    origins: [{ kind: 'exact', name: 'origin', value: SHOP }],
    methods: 'GET, PUT',
    headers: 'x-a, x-b',
    exposeHeaders: 'grpc-status',
    maxAge: '5',
    credentials: false,
    forwardStrangers: false,
    ...more,
  };
}

function request(method: string, headers: Readonly<Record<string, string>>): RoutedRequest {
  return { method, path: '/', query: '', header: (name) => headers[name] };
}

const PREFLIGHT = {
  origin: SHOP,
  'access-control-request-method': 'PUT',
  'access-control-request-headers': 'x-c',
};

function preflight(settings: CorsPolicy, headers: Readonly<Record<string, string>> = PREFLIGHT): string | undefined {
  const verdict = compileCors(settings, undefined)(request('OPTIONS', headers));
  return verdict?.kind === 'preflight' ? verdict.lines.replaceAll('\r\n', '|') : verdict?.kind;
}

test('a preflight is told what the policy allows; of `*` what was asked for', () => {
  const allowed = `access-control-allow-origin: ${SHOP}|`;
  const rest = 'access-control-max-age: 5|vary: origin|';
  assert.equal(
    preflight(policy()),
    `${allowed}access-control-allow-methods: GET, PUT|access-control-allow-headers: x-a, x-b|${rest}`,
  );
  assert.equal(
    preflight(policy({ methods: '*', headers: '*', credentials: true })),
    `${allowed}access-control-allow-credentials: true|access-control-allow-methods: PUT|access-control-allow-headers: x-c|${rest}`,
  );
  assert.equal(preflight(policy({ methods: '', headers: '', maxAge: '' })), `${allowed}vary: origin|`);
});

test('a stranger learns nothing, or is left to the app where the policy says so', () => {
  const stranger = { ...PREFLIGHT, origin: 'https://evil.example' };
  assert.equal(preflight(policy(), stranger), 'vary: origin|');
  assert.equal(preflight(policy({ forwardStrangers: true }), stranger), undefined);
  assert.equal(compileCors(policy(), undefined)(request('GET', { origin: 'https://evil.example' })), undefined);
});

test('what is no question of a browser is a request like any other', () => {
  const cors = compileCors(policy(), undefined);
  assert.equal(cors(request('GET', {})), undefined);
  assert.equal(cors(request('OPTIONS', { 'access-control-request-method': 'PUT' })), undefined);
  assert.equal(cors(request('OPTIONS', { origin: SHOP }))?.kind, 'answer');
});

test('an answer says who may read it, whatever app and route say about that; other edits stay', () => {
  const edits = compileEdits({
    set: [['Access-Control-Allow-Origin', '*']],
    add: [['x-added', '1']],
    remove: ['x-gone'],
  });
  const verdict = compileCors(policy(), edits)(request('GET', { origin: SHOP }));
  assert.ok(verdict?.kind === 'answer');
  const lines = `access-control-allow-origin: ${SHOP}\r\naccess-control-expose-headers: grpc-status\r\nvary: origin\r\n`;
  assert.equal(verdict.lines, lines);
  assert.equal(verdict.edits.adds, `x-added: 1\r\n${lines}`);
  assert.deepEqual([...verdict.edits.removes].sort(), [
    'access-control-allow-credentials',
    'access-control-allow-origin',
    'access-control-expose-headers',
    'x-gone',
  ]);
});
