import assert from 'node:assert/strict';
import { Base64Reader } from '../../../proxy/grpc/base64.ts';
import { kindOfType } from '../../../proxy/grpc/call-kind.ts';
import { grpcOwnLines } from '../../../proxy/grpc/own-lines.ts';
import { parseGrpcStatus, statusInTrailers } from '../../../proxy/grpc/status.ts';
import { grpcTimeoutMs } from '../../../proxy/grpc/timeout.ts';
import { responseEdits, trailersMessage } from '../../../proxy/grpc/web.ts';
import { trailerLines } from '../../../proxy/http1/trailers.ts';
import { cuts, damaged, piecesOf } from './damaged.ts';
import type { Draw } from './draw.ts';
import { type Property, property } from './property.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

interface Text {
  readonly text: string;
  readonly at: readonly number[];
}

const TEXTS = ['', 'AAAA', 'AAAAAAUKA2h1aQ==', 'QUJD', 'QQ==', 'QUI=', 'AAAAAAA=QUJDRA=='];
const TEXT_PIECES = ['=', '==', '===', 'A', 'AB', 'ABCD', '-', '_', '\r\n', ' ', '\0', '\xff'];

/** As the sender of a text cut into reads, each read a group of its own or not. */
function readInPieces(pieces: readonly string[]): { readonly bytes: string; readonly whole: boolean } | undefined {
  const reader = new Base64Reader();
  let bytes = '';
  for (const piece of pieces) {
    const around = latin1(`QUJD${piece}QUJD`);
    const out = reader.read(around, 4, 4 + piece.length);
    if (out === undefined) return undefined;
    bytes += out.toString('latin1');
  }
  return { bytes, whole: reader.isWhole };
}

function textIsBase64({ text, at }: Text): void {
  const given = readInPieces([text]);
  const whole = text.slice(0, text.length - (text.length % 4));
  const isBase64 =
    /^[A-Za-z0-9+/=]*$/.test(text) && /^(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)*$/.test(whole);
  assert.equal(given !== undefined, isBase64);
  if (given === undefined) return;
  // atob is the HTML Standard's, and knows one padding, at the end.
  const groups = whole.match(/.{4}/g) ?? [];
  assert.equal(given.bytes, groups.map((group) => atob(group)).join(''));
  assert.deepEqual(readInPieces(piecesOf(text, at)), given, 'it matters how the text is cut');
}

const TIMEOUTS = ['1H', '2M', '15S', '250m', '1500u', '1n', '0S', '99999999m', '100000000m'];
const TIMEOUT_PIECES = ['0', '9', 'H', 'M', 'S', 'm', 'u', 'n', ' ', '-', '+', '.', 'e', '\0', '00000000'];
const NANOSECONDS: Readonly<Record<string, bigint>> = {
  H: 3_600_000_000_000n,
  M: 60_000_000_000n,
  S: 1_000_000_000n,
  m: 1_000_000n,
  u: 1000n,
  n: 1n,
};

function timeoutIsExact(text: string): void {
  const ms = grpcTimeoutMs(text);
  const unit = NANOSECONDS[text.slice(-1)];
  const digits = text.slice(0, -1);
  const isSound =
    unit !== undefined &&
    digits.length >= 1 &&
    digits.length <= 8 &&
    Array.from(digits).every((one) => one >= '0' && one <= '9');
  assert.equal(ms !== undefined, isSound);
  if (unit === undefined || !isSound) return;
  const exact = (BigInt(digits) * unit + 999_999n) / 1_000_000n;
  assert.equal(BigInt(ms ?? 0), exact > 0n ? exact : 1n);
}

const TRAILERS = [
  'grpc-status: 0\r\n',
  'Grpc-Status:  5 \r\ngrpc-message: none\r\n',
  'x-grpc-status: 1\r\ngrpc-status: 14\r\ngrpc-message: a%20b\r\n',
  'grpc-message: grpc-status: 7\r\n',
  'x: y\r\ngrpc-status-details-bin: AAAA\r\ngrpc-status: 16\r\n',
];
const TRAILER_PIECES = [
  '\r\n',
  '\n',
  '\r',
  ':',
  ' ',
  '\t',
  'grpc-status',
  '0',
  '7',
  '17',
  '-',
  'x: y\r\n',
  '\0',
  '\xe9',
  '\r\ngrpc-status: 3\r\n',
];

/** A line at a time, and by hand. */
function statusByHand(lines: string): number | undefined {
  for (const line of lines.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 0 || line.slice(0, colon).toLowerCase() !== 'grpc-status') continue;
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
    const isStatus =
      value.length >= 1 && value.length <= 2 && Array.from(value).every((one) => one >= '0' && one <= '9');
    return isStatus && Number(value) <= 16 ? Number(value) : 2;
  }
  return undefined;
}

function trailersSayOneStatus(section: string): void {
  const lines = trailerLines(section);
  assert.match(
    lines,
    /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: (?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?\r\n)*$/,
  );
  assert.equal(trailerLines(lines.replace(/\r\n$/, '')), lines, 'a second look changes it again');
  assert.equal(statusInTrailers(lines), statusByHand(lines));
  // A gRPC-Web client's reading of the last message.
  const message = trailersMessage(lines);
  assert.equal(message[0], 0x80);
  assert.equal(message.readUInt32BE(1), message.length - 5);
  const read = message
    .toString('latin1', 5)
    .split('\r\n')
    .map((line) => line.replace(':', ': '));
  assert.equal(read.join('\r\n'), lines);
}

const TYPES = [
  'application/grpc',
  'application/grpc+proto',
  'application/grpc-web',
  'application/grpc-web-text+proto',
  'Application/GRPC;x=y',
];
const TYPE_PIECES = ['+proto', '+', ';', ' ', '-web', '-text', 'x', '\t', '"', '\xe9', '/', ','];
const KIND = /^application\/grpc(?:(-web)(-text)?)?(?:[+; ][^]*)?$/i;

function typeIsOneKind(type: string): void {
  const [found, web, text] = KIND.exec(type) ?? [];
  const kind = kindOfType(type);
  assert.equal(
    kind,
    found === undefined ? 'none' : text !== undefined ? 'web-text' : web !== undefined ? 'web' : 'grpc',
  );
  const { adds } = responseEdits(type, { textRequest: false, textResponse: kind === 'web-text' }, undefined);
  assert.match(adds, /^content-type: application\/grpc-web(?:-text)?\+[!#$%&'*+\-.^_`|~0-9A-Za-z]+\r\n$/);
}

interface Said {
  readonly message: string;
  readonly kind: 'grpc' | 'web' | 'web-text';
  readonly status: number;
}

const MESSAGE_PIECES = ['%', '%41', '\r\n', '\n', 'grpc-status: 0', 'é', '日本', '😀', '\0', '\x7f', ' ', '"', 'a'];

function said(draw: Draw): Said {
  const message = draw.some(8, () => draw.pick(MESSAGE_PIECES)).join('');
  return { message, kind: draw.pick(['grpc', 'web', 'web-text'] as const), status: draw.below(17) };
}

function messageComesBack({ message, kind, status }: Said): void {
  const lines = grpcOwnLines(kind, status, message);
  assert.match(lines, /^(?:[a-z-]+: [\x20-\x7e]*\r\n)+$/);
  assert.equal(statusInTrailers(lines), status);
  const written = /^grpc-message: (.*)\r$/m.exec(lines)?.[1] ?? '';
  assert.equal(decodeURIComponent(written), message);
}

function statusIsOneOfGrpcs(text: string): void {
  assert.equal(parseGrpcStatus(text), statusOf(text));
}

function statusOf(text: string): number {
  const known = Array.from({ length: 17 }, (_, status) => [String(status), `0${status}`]).findIndex(
    ([plain, padded]) => text === plain || (text === padded && text.length === 2),
  );
  return known < 0 ? 2 : known;
}

/** What holds of everything that reads or writes gRPC's own words. */
export const CALLS: readonly Property[] = [
  property(
    'base64',
    'text of gRPC-Web is base64 or refused, however it is cut and wherever it is padded',
    (draw) => ({ text: damaged(draw, TEXTS, TEXT_PIECES), at: cuts(draw) }),
    textIsBase64,
  ),
  property(
    'grpc-timeout',
    'a grpc-timeout is exact to the millisecond, or none',
    (draw) => damaged(draw, TIMEOUTS, TIMEOUT_PIECES),
    timeoutIsExact,
  ),
  property(
    'trailers',
    'trailers go on as sound lines, say one status, and are one message of gRPC-Web’s',
    (draw) => damaged(draw, TRAILERS, TRAILER_PIECES),
    trailersSayOneStatus,
  ),
  property(
    'grpc-status',
    'a grpc-status is one of gRPC’s',
    (draw) => damaged(draw, ['0', '5', '16', '17', '07'], TIMEOUT_PIECES),
    statusIsOneOfGrpcs,
  ),
  property(
    'content type',
    'a content type is one kind of call, and what becomes of it is one line',
    (draw) => damaged(draw, TYPES, TYPE_PIECES),
    typeIsOneKind,
  ),
  property(
    'grpc-message',
    'a message of our own comes back as it was, and is visible ASCII on the way',
    said,
    messageComesBack,
  ),
];
