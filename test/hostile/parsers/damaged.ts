import * as fc from 'fast-check';
import { REQUESTS } from '../request-table.ts';
import { RESPONSES } from '../responses.ts';

/** What parsers stumble over, put in where it does not belong. */
const PIECES = [
  '\r\n',
  '\r',
  '\n',
  '\r\n\r\n',
  ' ',
  '\t',
  ':',
  '\0',
  '\x7f',
  '\x0b',
  ';',
  '=',
  '"',
  '\\',
  ',',
  '%',
  '%2e',
  '/',
  '..',
  '?',
  '#',
  '@',
  '_',
  '0',
  '5',
  'f',
  '-',
  '+',
  '0\r\n\r\n',
  '5\r\nhello\r\n',
  'chunked',
  'close',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: b\r\n',
  'Connection: x\r\n',
  'X: y\r\n',
  ' z',
  'HTTP/1.1',
  'GET ',
  '\xe9',
  '\xff',
] as const;

type Damage =
  | { readonly kind: 'put'; readonly at: number; readonly piece: string }
  | { readonly kind: 'set'; readonly at: number; readonly code: number }
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number };

const position = fc.nat({ max: 400 });
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), at: position, piece: fc.constantFrom(...PIECES) }),
  fc.record({ kind: fc.constant('set' as const), at: position, code: fc.nat({ max: 255 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: position, length: fc.nat({ max: 12 }) }),
  fc.record({ kind: fc.constant('repeat' as const), at: position, length: fc.nat({ max: 40 }) }),
);

function apply(text: string, what: Damage): string {
  const at = text.length === 0 ? 0 : what.at % text.length;
  switch (what.kind) {
    case 'put':
      return text.slice(0, at) + what.piece + text.slice(at);
    case 'set':
      return text.slice(0, at) + String.fromCharCode(what.code) + text.slice(at + 1);
    case 'cut':
      return text.slice(0, at) + text.slice(at + what.length);
    case 'repeat':
      return text.slice(0, at + what.length) + text.slice(at);
    default:
      return what satisfies never;
  }
}

function damagedFrom(corpus: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...corpus), fc.array(damage, { maxLength: 4 }))
    .map(([text, damages]) => damages.reduce(apply, text));
}

// Long rows are about limits, and slow to read.
const short = (text: string): boolean => text.length < 2000;

const SOUND_REQUESTS = REQUESTS.filter(({ upstream, answers }) => upstream.length === 1 && answers.length === 1);

/** Requests of the tables, most of them damaged somewhere. Sound ones come as often as all others. */
export const damagedRequest = fc.oneof(
  damagedFrom(REQUESTS.map(({ pieces }) => pieces.join('')).filter(short)),
  damagedFrom(SOUND_REQUESTS.map(({ pieces }) => pieces.join('')).filter(short)),
);

export const damagedResponse = fc.oneof(
  damagedFrom(RESPONSES.map(({ pieces }) => pieces.join('')).filter(short)),
  damagedFrom(RESPONSES.filter(({ outcome }) => outcome === 'passed').map(({ pieces }) => pieces.join(''))),
);

export const damagedPath = fc.oneof(
  damagedFrom(['/', '/a/b', '/a/../b', '/%2e%2e/x', '/a/./', '/a%2fb', '//a', '/..', '/caf%c3%a9', '/a;x/..']),
  fc
    .array(fc.constantFrom('/', '.', '..', '%2e', '%2E', '%2f', '%5c', 'a', ';', '%', '%c0%af', '~'), { maxLength: 12 })
    .map((parts) => `/${parts.join('')}`),
);

/** Where a text is cut into reads. */
export const cuts = fc.array(position, { maxLength: 6 });

export function piecesOf(text: string, at: readonly number[]): readonly string[] {
  const sorted = [...new Set(at.map((cut) => (text.length === 0 ? 0 : cut % text.length)))].sort((a, b) => a - b);
  return [0, ...sorted].map((start, index) => text.slice(start, sorted[index] ?? text.length));
}
