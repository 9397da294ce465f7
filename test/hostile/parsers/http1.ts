import assert from 'node:assert/strict';
import { REQUEST_FILTERS } from '../../../proxy/filters/order.ts';
import { type Downstream, RequestDraft } from '../../../proxy/filters/request-draft.ts';
import { BodyReader, type Framing } from '../../../proxy/http1/body-reader.ts';
import { MAX_HEAD_BYTES, MAX_HEADERS } from '../../../proxy/http1/limits.ts';
import { partialHeadFault } from '../../../proxy/http1/partial-head.ts';
import { renderRequest } from '../../../proxy/http1/render-request.ts';
import { renderResponse } from '../../../proxy/http1/render-response.ts';
import { RequestHead } from '../../../proxy/http1/request-head.ts';
import { normalizePath } from '../../../proxy/http1/request-path.ts';
import { ResponseHead } from '../../../proxy/http1/response-head.ts';
import { scanText } from '../../../proxy/test-support/scan-text.ts';
import { cuts, damagedPath, damagedRequest, damagedResponse, piecesOf } from './damaged.ts';
import { type Property, property } from './property.ts';
import { type Opinion, secondOpinion } from './second-opinion.ts';

// RFC 9112 sections 2.1 to 5, as plain as it can be said; what we accept is less than this.
const FIELD_LINES = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n$/;
const REQUEST_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e]+ HTTP\/1\.[01]\r\n/;
const STATUS_LINE = /^HTTP\/1\.[01] [1-5]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?\r\n/;

/** Methods that llhttp does not know are no disagreement about where a message ends. */
const UNKNOWN_THERE = new Set(['HPE_INVALID_METHOD']);

const FROM: Downstream = {
  direction: 'ingress',
  scheme: 'http',
  peerAddress: '127.0.0.1',
  peerId: '',
  ownId: '',
  trustForwarded: false,
  listenerPort: 80,
};

const request = new RequestHead();
const response = new ResponseHead();

interface Body {
  readonly text: string;
  readonly state: 'done' | 'open' | 'broken';
  /** Length of what belongs to the body. */
  readonly length: number;
}

function readBody(framing: Framing, length: number, pieces: readonly string[]): Body {
  const reader = new BodyReader();
  reader.start(framing, length);
  let text = '';
  let used = 0;
  const sink = {
    bodyBytes: (from: Buffer, start: number, end: number) => void (text += from.toString('latin1', start, end)),
  };
  for (const piece of pieces) {
    if (reader.done) break;
    const at = reader.feed(Buffer.from(piece, 'latin1'), 0, piece.length, sink);
    if (at < 0) return { text, state: 'broken', length: 0 };
    used += at;
  }
  return { text, state: reader.done ? 'done' : 'open', length: used };
}

/** Where the head ends, its empty line included; undefined when it is not whole. */
function headLength(text: string): number | undefined {
  const at = text.indexOf('\r\n\r\n');
  return at < 0 ? undefined : at + 4;
}

function agreeOnFields(fields: RequestHead['fields'], opinion: Opinion): void {
  const ours = Array.from({ length: fields.count }, (_, at) => [fields.name(at), fields.value(at)]);
  assert.deepEqual(
    ours.map(([name, value]) => [name, value]),
    opinion.fields.map(([name, value]) => [name, value]),
  );
}

function requestAgrees(text: string): void {
  const head = headLength(text);
  if (head === undefined || scanText(request, text) !== undefined) return;
  const line = REQUEST_LINE.exec(text);
  assert.ok(line !== null, 'a request line that the grammar does not have');
  assert.match(text.slice(line[0].length, head), FIELD_LINES);
  const framing = request.fields.chunked ? 'chunked' : request.fields.contentLength > 0 ? 'length' : 'none';
  const body = readBody(framing, request.fields.contentLength, [text.slice(head)]);
  if (body.state !== 'done') return;
  const whole = text.slice(0, head + body.length);
  const opinion = secondOpinion('request', whole);
  if (UNKNOWN_THERE.has(opinion.error) || request.method === 'CONNECT') return;
  assert.equal(opinion.error, '', 'llhttp refuses what we take');
  agreeOnFields(request.fields, opinion);
  if (opinion.upgrade) return;
  assert.deepEqual([opinion.done, opinion.body], [true, body.text]);
  assert.equal(secondOpinion('request', whole.slice(0, -1)).done, false, 'llhttp sees the end before we do');
}

function responseAgrees(text: string): void {
  const head = headLength(text);
  if (head === undefined || scanText(response, text) !== undefined) return;
  const line = STATUS_LINE.exec(text);
  assert.ok(line !== null, 'a status line that the grammar does not have');
  assert.match(text.slice(line[0].length, head), FIELD_LINES);
  if (response.status < 200) return;
  const bodiless = response.status === 204 || response.status === 304;
  const framing = bodiless
    ? 'none'
    : response.fields.chunked
      ? 'chunked'
      : response.fields.contentLength >= 0
        ? 'length'
        : 'until-close';
  const body = readBody(framing, response.fields.contentLength, [text.slice(head)]);
  if (framing !== 'until-close' && body.state !== 'done') return;
  const opinion = secondOpinion('response', text.slice(0, head + body.length));
  assert.equal(opinion.error, '', 'llhttp refuses what we take');
  agreeOnFields(response.fields, opinion);
  assert.deepEqual(
    [opinion.status, opinion.body, opinion.done],
    [response.status, body.text, framing !== 'until-close'],
  );
}

function forwardedIsSound(text: string): void {
  const head = headLength(text);
  if (head === undefined || scanText(request, text) !== undefined || request.method === 'CONNECT') return;
  if (request.fields.count > MAX_HEADERS) return;
  const draft = new RequestDraft(request, FROM);
  for (const filter of REQUEST_FILTERS) filter(draft);
  const host = request.absoluteForm || request.authority === '' ? request.authority || 'service' : undefined;
  const { method, target } = request;
  const { chunked, contentLength } = request.fields;
  const rendered = renderRequest(draft, { target, host, upgrade: '' }, undefined);
  assert.equal(headLength(rendered), rendered.length, 'one head, and nothing behind it');
  const again = new RequestHead();
  assert.equal(scanText(again, rendered), undefined);
  assert.deepEqual(
    [again.method, again.target, again.fields.chunked, again.fields.contentLength],
    [method, target, chunked, contentLength],
  );
  assert.doesNotMatch(
    rendered,
    /\r\n(?:connection|keep-alive|te|trailer|upgrade|proxy(?:-connection|-authorization)?)[ \t]*:/i,
  );
  const opinion = secondOpinion('request', rendered);
  if (UNKNOWN_THERE.has(opinion.error)) return;
  assert.equal(opinion.error, '', 'llhttp refuses what we forward');
  assert.equal(opinion.fields.filter(([name]) => name.toLowerCase() === 'host').length, 1);
}

function passedOnIsSound(text: string): void {
  const head = headLength(text);
  if (head === undefined || scanText(response, text) !== undefined || response.status < 200) return;
  const { status } = response;
  const framing = response.fields.contentLength >= 0 ? 'length' : 'chunked';
  const rendered = renderResponse(response, { framing, connection: '' }, undefined);
  assert.equal(headLength(rendered), rendered.length, 'one head, and nothing behind it');
  const opinion = secondOpinion('response', rendered, 'yes');
  assert.deepEqual([opinion.error, opinion.status], ['', status]);
  const framings = opinion.fields.filter(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name));
  assert.ok(framings.length <= 1);
}

function prefixesAreKept({ text, at }: { readonly text: string; readonly at: readonly number[] }): void {
  const head = headLength(text);
  if (head === undefined || scanText(request, text) !== undefined) return;
  const bytes = Buffer.from(text, 'latin1');
  let held = 0;
  for (const cut of [...at].map((each) => each % (head - 1)).sort((a, b) => a - b)) {
    assert.equal(
      partialHeadFault(text.slice(0, cut), held, MAX_HEAD_BYTES),
      undefined,
      'a sound head is refused before it is whole',
    );
    assert.equal(
      request.scan(bytes, 0, cut),
      -1,
      'what stands behind the last byte that came is taken for what will come',
    );
    held = cut;
  }
}

interface CutBody {
  readonly text: string;
  readonly at: readonly number[];
  readonly length: number;
}

function cutsDoNotMatter({ text, at, length }: CutBody): void {
  for (const framing of ['chunked', 'length'] as const) {
    const whole = readBody(framing, length, [text]);
    const inPieces = readBody(framing, length, piecesOf(text, at));
    assert.equal(inPieces.state, whole.state);
    if (whole.state !== 'broken') assert.deepEqual(inPieces, whole);
  }
}

function pathIsNormal(damaged: string): void {
  const path = damaged.startsWith('/') ? damaged : `/${damaged}`;
  const normal = normalizePath(path);
  if (normal === undefined) return;
  assert.ok(normal.startsWith('/'));
  assert.equal(normalizePath(normal), normal, 'a second look changes it again');
  for (const segment of normal.split('/')) assert.doesNotMatch(segment, /^(?:\.|%2e){1,2}$/i);
  // The URL Standard resolves as RFC 3986 does; it takes `\` for a slash and encodes more, so only plain paths compare.
  if (/^[\w/.~%;-]*$/.test(path) && !path.startsWith('//')) assert.equal(normal, new URL(`http://a${path}`).pathname);
}

/** What holds of every parser and writer of HTTP/1, whatever bytes come. */
export const HTTP1: readonly Property[] = [
  property(
    'request head',
    'a request that we take is in the grammar, and llhttp reads it alike to the last byte',
    damagedRequest,
    requestAgrees,
  ),
  property(
    'response head',
    'an answer that we take is in the grammar, and llhttp reads it alike to the last byte',
    damagedResponse,
    responseAgrees,
  ),
  property(
    'request head',
    'the head that we forward is read alike by us and by llhttp, and holds nothing of the hop before',
    damagedRequest,
    forwardedIsSound,
  ),
  property(
    'response head',
    'the head that we answer with is read by llhttp, with one framing',
    damagedResponse,
    passedOnIsSound,
  ),
  property(
    'request head',
    'no beginning of a sound head is refused',
    (draw) => ({ text: damagedRequest(draw), at: cuts(draw) }),
    prefixesAreKept,
  ),
  property(
    'body',
    'a body ends at the same byte however it is cut into reads',
    (draw) => ({ text: bodyOf(damagedRequest(draw)), at: cuts(draw), length: draw.below(61) }),
    cutsDoNotMatter,
  ),
  property('path', 'a path is resolved once and for all, as the URL Standard does it', damagedPath, pathIsNormal),
];

function bodyOf(text: string): string {
  return text.slice(headLength(text) ?? 0);
}
