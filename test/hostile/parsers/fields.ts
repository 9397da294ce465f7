import assert from 'node:assert/strict';
import { REQUEST_FILTERS } from '../../../proxy/filters/order.ts';
import { type Downstream, RequestDraft } from '../../../proxy/filters/request-draft.ts';
import { renderRequest } from '../../../proxy/http1/render-request.ts';
import { RequestHead } from '../../../proxy/http1/request-head.ts';
import { compileCors } from '../../../proxy/route/cors.ts';
import { compileMatch, type RoutedRequest } from '../../../proxy/route/match.ts';
import { DomainIndex } from '../../../proxy/route/match-domain.ts';
import { redirectLocation } from '../../../proxy/route/redirect.ts';
import { parseReason } from '../../../proxy/telemetry/reason.ts';
import { scanText } from '../../../proxy/test-support/scan-text.ts';
import { damaged, damagedPath } from './damaged.ts';
import type { Draw } from './draw.ts';
import { type Property, property } from './property.ts';

const AT_THE_EDGE: Downstream = {
  direction: 'ingress',
  scheme: 'https',
  peerAddress: '192.0.2.7',
  peerId: '',
  ownId: '',
  trustForwarded: false,
  listenerPort: 443,
};
const INSIDE: Downstream = { ...AT_THE_EDGE, direction: 'inbound', scheme: 'http', trustForwarded: true };

const LINES = [
  'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-00',
  'traceparent: cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes',
  'tracestate: rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
  'x-request-id: 8f14e45fceea167a',
  'x-request-id: ',
  'x-forwarded-for: 203.0.113.9, 10.0.0.1',
  'x-forwarded-proto: https',
  'x-forwarded-host: evil.example',
  'x-forwarded-client-cert: By=spiffe://tutti.local/ns/a/sa/b;URI=spiffe://tutti.local/ns/a/sa/root',
  'forwarded: for=1.2.3.4;host=evil.example',
  'connection: traceparent, x-request-id',
  'cookie: a=b',
];
const LINE_PIECES = [
  '-',
  '0',
  'f',
  'F',
  'g',
  'ff',
  ',',
  ' ',
  '\t',
  ':',
  'x',
  '\xe9',
  '\r\n',
  '_',
  '"',
  '=',
  '-01',
  '00-',
];

interface Marked {
  readonly text: string;
  readonly from: Downstream;
}

function marked(draw: Draw): Marked {
  const lines = draw.some(3, () => damaged(draw, LINES, LINE_PIECES));
  return {
    text: `GET / HTTP/1.1\r\nhost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`,
    from: draw.oneIn(2) ? INSIDE : AT_THE_EDGE,
  };
}

/** W3C Trace Context section 3.2, by hand. */
function isSoundParent(value: string): boolean {
  const [version = '', trace = '', parent = '', flags = '', ...more] = value.split('-');
  const isHex = (text: string, length: number): boolean =>
    text.length === length && Array.from(text).every((one) => '0123456789abcdef'.includes(one));
  if (!isHex(version, 2) || version === 'ff' || (version === '00' && more.length > 0)) return false;
  return (
    isHex(trace, 32) &&
    isHex(parent, 16) &&
    isHex(flags, 2) &&
    Number.parseInt(trace.slice(0, 16), 16) + Number.parseInt(trace.slice(16), 16) > 0 &&
    Number.parseInt(parent, 16) > 0
  );
}

const head = new RequestHead();
const again = new RequestHead();

function valuesOf({ fields }: RequestHead, name: string): readonly string[] {
  const found: string[] = [];
  for (let at = 0; at < fields.count; at++) if (fields.name(at).toLowerCase() === name) found.push(fields.value(at));
  return found;
}

function saysWhoItIsOnce({ text, from }: Marked): void {
  if (scanText(head, text) !== undefined) return;
  const given = valuesOf(head, 'traceparent');
  const draft = new RequestDraft(head, from);
  for (const filter of REQUEST_FILTERS) filter(draft);
  const rendered = renderRequest(draft, { target: head.target, host: undefined, upgrade: '' }, undefined);
  assert.equal(scanText(again, rendered), undefined);
  const parents = valuesOf(again, 'traceparent');
  assert.equal(parents.length, 1, 'not one traceparent');
  assert.ok(isSoundParent(parents[0] ?? ''), 'a traceparent that is none goes on');
  if (given.length === 1 && isSoundParent(given[0] ?? '')) assert.deepEqual(parents, given);
  else {
    assert.notDeepEqual(parents, given);
    assert.deepEqual(valuesOf(again, 'tracestate'), [], 'a foreign state goes on with a trace of our own');
  }
  const ids = valuesOf(again, 'x-request-id');
  assert.equal(ids.length, 1, 'not one x-request-id');
  assert.match(ids[0] ?? '', /^[\x21-\x7e]{1,128}$/);
  assert.equal(draft.requestId, ids[0]);
  assert.deepEqual(valuesOf(again, 'x-forwarded-client-cert'), []);
  if (from.trustForwarded) return;
  assert.deepEqual(valuesOf(again, 'x-forwarded-for'), ['192.0.2.7']);
  assert.deepEqual(valuesOf(again, 'x-forwarded-proto'), ['https']);
  assert.deepEqual(valuesOf(again, 'x-forwarded-host'), ['a']);
}

const QUERIES = ['a=1', 'a=1&b=2', 'b=%61&a=x+y', 'a', 'a=&a=2', '&&a=1', 'a%3d=1', '%61=1'];
const QUERY_PIECES = ['&', '=', '%', '%26', '%3D', '+', '%2', '%zz', 'a', 'b', '1', '%c3%a9', ';', '%00'];

function parameterIsFoundAlike(query: string): void {
  // What is no sound encoding everybody reads in another way; the URL Standard puts U+FFFD there, and its class drops a first `?`.
  if (query.startsWith('?') || /%(?![0-9a-f]{2})/i.test(query) || /[^\x21-\x7e]/.test(query)) return;
  const given = new URLSearchParams(query).get('a');
  if (given?.includes('\ufffd') === true) return;
  const request: RoutedRequest = { method: 'GET', path: '/', query, header: () => undefined };
  const matches = (value: string): boolean =>
    compileMatch({
      path: { kind: 'any' },
      method: undefined,
      headers: [],
      query: [{ kind: 'exact', name: 'a', value }],
    })(request);
  if (given !== null) assert.ok(matches(given), `a is ${given}`);
  for (const other of ['1', '2', 'x y', '']) assert.equal(matches(other), other === given);
}

const DOMAINS = ['shop.example', '*.example', '*.shop.example', 'web.*', 'web', 'a:80', '*'];
const domains = new DomainIndex<string>();
for (const domain of DOMAINS) domains.add(domain, domain);
const AUTHORITIES = [
  'shop.example',
  'a.shop.example',
  'web',
  'web.default:8080',
  'shop.example:8080',
  'a',
  'a:80',
  '.example',
  '[::1]:8080',
];
const AUTHORITY_PIECES = ['.', ':', ':8080', ':80', 'shop', 'example', 'web', 'a', '*', '%', '['];

/** Envoy's order, a candidate at a time. */
function byHand(authority: string): string | undefined {
  if (!DOMAINS.includes(authority) || authority.includes('*')) {
    const suffixes = DOMAINS.filter(
      (domain) => domain.startsWith('*.') && authority.endsWith(domain.slice(1)) && authority.length >= domain.length,
    );
    const prefixes = DOMAINS.filter(
      (domain) =>
        domain.endsWith('.*') && authority.startsWith(domain.slice(0, -1)) && authority.length >= domain.length,
    );
    return [...suffixes.sort((one, other) => other.length - one.length), ...prefixes][0];
  }
  return authority;
}

function hostIsFoundAlike(authority: string): void {
  const withoutPort = authority.endsWith(':8080') ? byHand(authority.slice(0, -5)) : undefined;
  assert.equal(domains.find(authority, 8080), byHand(authority) ?? withoutPort ?? '*');
}

interface Redirected {
  readonly path: string;
  readonly query: string;
}

function redirectStaysHere({ path, query }: Redirected): void {
  const text = `GET ${path}${query} HTTP/1.1\r\nhost: a.example:8080\r\n\r\n`;
  if (scanText(head, text) !== undefined) return;
  const request = {
    scheme: 'http' as const,
    authority: head.authority,
    path: head.path,
    target: head.target,
    listenerPort: 8080,
  };
  const redirect = {
    kind: 'redirect' as const,
    scheme: 'https',
    host: undefined,
    port: undefined,
    rewrite: undefined,
    status: 301,
  };
  const location = redirectLocation(redirect, { kind: 'any' }, request);
  assert.match(location, /^[\x21-\x7e\x80-\xff]+$/);
  const url = new URL(location);
  assert.deepEqual([url.protocol, url.host, url.username], ['https:', 'a.example', '']);
}

const ORIGINS = ['https://shop.example', 'http://localhost:5173', 'https://a.shop.example', 'null', ''];
const ORIGIN_PIECES = [
  'https://',
  '.',
  ':',
  'evil',
  '.evil.example',
  '/',
  '@',
  '*',
  ',',
  ' ',
  '\r\n',
  '\0',
  '\u00e9',
  'S',
  ':443',
];
const METHODS = ['PUT', 'GET', 'GET, PUT', '*', '', 'put'];
const NAMES = ['x-a', 'x-a, x-b', 'authorization', '*', ''];
const WORD_PIECES = [',', ' ', '*', ':', ';', '\t', '\u00e9', 'x', '"'];

interface Page {
  readonly text: string;
  readonly credentials: boolean;
  readonly forwardStrangers: boolean;
}

function page(draw: Draw): Page {
  const lines = [
    `origin: ${damaged(draw, ORIGINS, ORIGIN_PIECES)}`,
    ...(draw.oneIn(3) ? [] : [`access-control-request-method: ${damaged(draw, METHODS, WORD_PIECES)}`]),
    ...(draw.oneIn(2) ? [] : [`access-control-request-headers: ${damaged(draw, NAMES, WORD_PIECES)}`]),
    ...(draw.oneIn(8) ? [`origin: ${draw.pick(ORIGINS)}`] : []),
  ];
  return {
    text: `${draw.oneIn(4) ? 'GET' : 'OPTIONS'} / HTTP/1.1\r\nhost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`,
    credentials: draw.oneIn(2),
    forwardStrangers: draw.oneIn(2),
  };
}

const MAY = new Set(['https://shop.example', 'http://localhost:5173']);
const OF_CORS = /^(?:access-control-(?:allow-(?:origin|credentials|methods|headers)|expose-headers|max-age)|vary)$/;

/** Fetch, "CORS protocol": who is let in is named, alone and as he named himself; whatever else was said makes no line of its own. */
function pageIsToldNoMore({ text, credentials, forwardStrangers }: Page): void {
  if (scanText(head, text) !== undefined) return;
  const origins = valuesOf(head, 'origin');
  const policy = {
    origins: [...MAY].map((value) => ({ kind: 'exact' as const, name: 'origin', value })),
    methods: '*',
    headers: '*',
    exposeHeaders: 'x-c',
    maxAge: '5',
    credentials,
    forwardStrangers,
  };
  const verdict = compileCors(policy, undefined)(head);
  const mayEnter = origins.length === 1 && MAY.has(origins[0] ?? '');
  const isQuestion = head.method === 'OPTIONS' && (head.header('access-control-request-method') ?? '') !== '';
  if (verdict === undefined) {
    assert.ok(!mayEnter, 'one who may is not told so');
    return;
  }
  assert.equal(verdict.kind === 'preflight', isQuestion);
  assert.equal(scanText(again, `GET / HTTP/1.1\r\nhost: a\r\n${verdict.lines}\r\n`), undefined);
  for (let at = 1; at < again.fields.count; at++) assert.match(again.fields.name(at), OF_CORS);
  assert.deepEqual(valuesOf(again, 'vary'), ['origin']);
  assert.deepEqual(valuesOf(again, 'access-control-allow-origin'), mayEnter ? origins : []);
  assert.deepEqual(valuesOf(again, 'access-control-allow-credentials'), mayEnter && credentials ? ['true'] : []);
  if (!mayEnter) assert.ok(isQuestion && !forwardStrangers, 'a stranger is told');
}

/** What holds of everything that reads a request's fields and target, or writes them anew. */
export const FIELDS: readonly Property[] = [
  property(
    'trace and id',
    'a request goes on with one trace, one id and no word of a stranger’s on who he is',
    marked,
    saysWhoItIsOnce,
  ),
  property(
    'query',
    'a query’s parameter is what the URL Standard says it is',
    (draw) => damaged(draw, QUERIES, QUERY_PIECES),
    parameterIsFoundAlike,
  ),
  property(
    'authority',
    'a virtual host is found in Envoy’s order',
    (draw) => damaged(draw, AUTHORITIES, AUTHORITY_PIECES),
    hostIsFoundAlike,
  ),
  property(
    'redirect',
    'a redirect is a URL of the same host, whatever the path',
    (draw) => ({ path: damagedPath(draw), query: draw.oneIn(2) ? '' : `?${damaged(draw, QUERIES, QUERY_PIECES)}` }),
    redirectStaysHere,
  ),
  property(
    'cors',
    'only a page that may is told so, by its own name, and no answer has a line too many',
    page,
    pageIsToldNoMore,
  ),
  property(
    'reason',
    'another proxy’s reason is one of ours or none',
    (draw) => damaged(draw, ['UF', 'UT', 'NR', 'UO', '', 'toString', '__proto__'], ['U', 'F', ' ', ',', '\0']),
    (text) => assert.match(parseReason(text) ?? '', /^[A-Z0-9]*$/),
  ),
];
