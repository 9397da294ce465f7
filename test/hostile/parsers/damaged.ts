import { REQUESTS } from '../request-table.ts';
import { RESPONSES } from '../responses.ts';
import type { Draw } from './draw.ts';

/** What parsers of HTTP/1 stumble over, put in where it does not belong. */
const HTTP1_PIECES = [
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

const MOST_DAMAGES = 4;
const LONGEST_CUT = 12;
const LONGEST_REPEAT = 40;

function damagedOnce(draw: Draw, text: string, pieces: readonly string[]): string {
  const at = draw.below(text.length + 1);
  switch (draw.below(4)) {
    case 0:
      return text.slice(0, at) + draw.pick(pieces) + text.slice(at);
    case 1:
      return text.slice(0, at) + String.fromCharCode(draw.below(256)) + text.slice(at + 1);
    case 2:
      return text.slice(0, at) + text.slice(at + draw.below(LONGEST_CUT + 1));
    default:
      return text.slice(0, at + draw.below(LONGEST_REPEAT + 1)) + text.slice(at);
  }
}

/** One of these texts with up to four damages; one in five is whole. */
export function damaged(draw: Draw, corpus: readonly string[], pieces: readonly string[]): string {
  let text = draw.pick(corpus);
  for (let left = draw.below(MOST_DAMAGES + 1); left > 0; left--) text = damagedOnce(draw, text, pieces);
  return text;
}

// Long rows are about limits, and slow to read.
const short = (text: string): boolean => text.length < 2000;
const whole = ({ pieces }: { readonly pieces: readonly string[] }): string => pieces.join('');

const ALL_REQUESTS = REQUESTS.map(whole).filter(short);
const SOUND_REQUESTS = REQUESTS.filter(({ upstream, answers }) => upstream.length === 1 && answers.length === 1)
  .map(whole)
  .filter(short);
const ALL_RESPONSES = RESPONSES.map(whole).filter(short);
const SOUND_RESPONSES = RESPONSES.filter(({ outcome }) => outcome === 'passed').map(whole);

/** Requests of the tables, most of them damaged somewhere. Sound ones come as often as all others. */
export function damagedRequest(draw: Draw): string {
  return damaged(draw, draw.oneIn(2) ? ALL_REQUESTS : SOUND_REQUESTS, HTTP1_PIECES);
}

export function damagedResponse(draw: Draw): string {
  return damaged(draw, draw.oneIn(2) ? ALL_RESPONSES : SOUND_RESPONSES, HTTP1_PIECES);
}

const PATHS = ['/', '/a/b', '/a/../b', '/%2e%2e/x', '/a/./', '/a%2fb', '//a', '/..', '/caf%c3%a9', '/a;x/..'];
const PATH_PARTS = ['/', '.', '..', '%2e', '%2E', '%2f', '%5c', 'a', ';', '%', '%c0%af', '~'];

export function damagedPath(draw: Draw): string {
  if (draw.oneIn(2)) return damaged(draw, PATHS, HTTP1_PIECES);
  return `/${draw.some(12, () => draw.pick(PATH_PARTS)).join('')}`;
}

const LONGEST_CUT_AT = 400;
const MOST_CUTS = 6;

/** Where a text is cut into reads. */
export function cuts(draw: Draw): readonly number[] {
  return draw.some(MOST_CUTS, () => draw.below(LONGEST_CUT_AT));
}

export function piecesOf(text: string, at: readonly number[]): readonly string[] {
  const sorted = [...new Set(at.map((cut) => (text.length === 0 ? 0 : cut % text.length)))].sort((a, b) => a - b);
  return [0, ...sorted].map((start, index) => text.slice(start, sorted[index] ?? text.length));
}
