import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderRequest } from '../http1/render-request.ts';
import { RequestHead } from '../http1/request-head.ts';
import { scanText } from '../test-support/scan-text.ts';
import { REQUEST_FILTERS } from './order.ts';
import { type Downstream, RequestDraft } from './request-draft.ts';
import { isTraceParent } from './trace-context.ts';

const EDGE: Downstream = {
  direction: 'ingress',
  scheme: 'https',
  peerAddress: '10.0.0.9',
  peerId: '',
  ownId: '',
  trustForwarded: false,
  listenerPort: 443,
};
const INSIDE: Downstream = {
  ...EDGE,
  direction: 'inbound',
  scheme: 'http',
  peerId: 'spiffe://d/web',
  ownId: 'spiffe://d/cart',
  trustForwarded: true,
};
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** The fields that a request with these has after the filters, by lower-case name. */
function through(from: Downstream, lines: readonly string[]): Map<string, string> {
  const head = new RequestHead();
  const text = `GET / HTTP/1.1\r\nHost: shop\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
  assert.equal(scanText(head, text), undefined);
  const draft = new RequestDraft(head, from);
  for (const filter of REQUEST_FILTERS) filter(draft);
  const out = renderRequest(draft, { target: '/', host: undefined, upgrade: '' }, undefined);
  const fields = out
    .trimEnd()
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(': '));
  const names = fields.map(([name = '']) => name.toLowerCase());
  assert.equal(new Set(names).size, names.length, `a field twice: ${out}`);
  return new Map(fields.map(([name = '', value = '']) => [name.toLowerCase(), value]));
}

test('at the edge what a client says of itself is dropped, and we say what we know', () => {
  const fields = through(EDGE, [
    'X-Forwarded-For: 1.1.1.1',
    'X-Forwarded-Proto: ftp',
    'X-Forwarded-Host: evil',
    'X-Forwarded-Client-Cert: URI=x',
  ]);
  assert.equal(fields.get('x-forwarded-for'), '10.0.0.9');
  assert.equal(fields.get('x-forwarded-proto'), 'https');
  assert.equal(fields.get('x-forwarded-host'), 'shop');
  assert.equal(fields.has('x-forwarded-client-cert'), false);
});

test("inside the mesh the edge's word stands, what is missing is filled in, and identities are only ours to tell", () => {
  const kept = through(INSIDE, [
    'X-Forwarded-For: 1.1.1.1',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: shop',
    'X-Forwarded-Client-Cert: URI=x',
  ]);
  assert.equal(kept.get('x-forwarded-for'), '1.1.1.1');
  assert.equal(kept.get('x-forwarded-proto'), 'https');
  assert.equal(kept.get('x-forwarded-host'), 'shop');
  assert.equal(kept.get('x-forwarded-client-cert'), 'By=spiffe://d/cart;URI=spiffe://d/web');
  assert.equal(through(INSIDE, []).get('x-forwarded-for'), '10.0.0.9');
});

test('a request id follows a request, or is begun', () => {
  assert.equal(through(EDGE, ['X-Request-Id: abc-1']).get('x-request-id'), 'abc-1');
  assert.match(through(EDGE, ['X-Request-Id: a b']).get('x-request-id') ?? '', /^[0-9a-f]{32}$/);
  assert.notEqual(through(EDGE, []).get('x-request-id'), through(EDGE, []).get('x-request-id'));
});

test('a sound trace goes on unchanged; a broken or missing one is begun anew, without the old state', () => {
  const kept = through(EDGE, [`Traceparent: ${TRACE}`, 'Tracestate: a=b']);
  assert.equal(kept.get('traceparent'), TRACE);
  assert.equal(kept.get('tracestate'), 'a=b');
  for (const lines of [[], ['Tracestate: a=b'], ['Traceparent: nonsense', 'Tracestate: a=b']]) {
    const begun = through(EDGE, lines);
    assert.match(begun.get('traceparent') ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    assert.equal(begun.has('tracestate'), false);
  }
});

test('of two traces, and of two ids, neither goes on', () => {
  const begun = through(EDGE, [
    `Traceparent: ${TRACE}`,
    `Traceparent: ${TRACE}`,
    'Tracestate: a=b',
    'X-Request-Id: a',
    'X-Request-Id: b',
  ]);
  assert.notEqual(begun.get('traceparent'), TRACE);
  assert.equal(begun.has('tracestate'), false);
  assert.match(begun.get('x-request-id') ?? '', /^[0-9a-f]{32}$/);
});

test('trace parents are judged as W3C says', () => {
  assert.ok(isTraceParent(TRACE));
  assert.ok(isTraceParent(`01${TRACE.slice(2)}-more`));
  for (const bad of [
    `ff${TRACE.slice(2)}`,
    TRACE.toUpperCase(),
    `${TRACE}-more`,
    TRACE.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)),
    TRACE.replace('b7ad6b7169203331', '0'.repeat(16)),
    TRACE.slice(0, -1),
    '',
  ]) {
    assert.ok(!isTraceParent(bad), bad);
  }
});
