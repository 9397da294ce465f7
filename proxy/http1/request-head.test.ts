import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { scanText } from '../test-support/scan-text.ts';
import { RequestHead } from './request-head.ts';

function scan(text: string): { readonly head: RequestHead; readonly cause: string } {
  const head = new RequestHead();
  return { head, cause: scanText(head, text)?.cause ?? '' };
}

const NEXT = 'GET /x HTTP/1.1\r\nHost: b\r\n\r\n';
const field = (line: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n`;
const target = (text: string, method = 'GET'): string => `${method} ${text} HTTP/1.1\r\nHost: a\r\n\r\n`;

const REFUSED: readonly (readonly [name: string, head: string, cause: string])[] = [
  [
    'length and transfer coding',
    field('Content-Length: 5\r\nTransfer-Encoding: chunked'),
    'content-length-and-transfer-encoding',
  ],
  ['two lengths that differ', field('Content-Length: 5\r\nContent-Length: 6'), 'duplicate-content-length'],
  ['two lengths that agree', field('Content-Length: 5\r\nContent-Length: 5'), 'duplicate-content-length'],
  ...['5, 5', '+5', '-1', '-0', '0x5', '0o5', '1_0', '1 0', '5abc', '', '0200', '99999999999999999999'].map(
    (value) => [`length "${value}"`, field(`Content-Length: ${value}`), 'bad-content-length'] as const,
  ),
  ...['xchunked', 'identity', 'chunked, gzip', 'gzip', 'chunked, chunked', ',chunked', '', 'chunked\x0b'].map(
    (value) =>
      [
        `coding ${JSON.stringify(value)}`,
        field(`Transfer-Encoding: ${value}`),
        value.includes('\x0b') ? 'bad-field-value' : 'bad-transfer-encoding',
      ] as const,
  ),
  ['coding twice', field('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'), 'bad-transfer-encoding'],
  ['coding in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 'transfer-encoding-in-http-1.0'],
  ['space before the colon', field('Transfer-Encoding : chunked'), 'bad-field-name'],
  ['tab before the colon', field('X\t: y'), 'bad-field-name'],
  ['a folded field', field('X: y\r\n z'), 'folded-field'],
  ['blanks before the first field', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n', 'folded-field'],
  ['no colon', field('nonsense'), 'bad-field-name'],
  ['an empty name', field(': x'), 'bad-field-name'],
  ['a name with NUL', field('X\0: y'), 'bad-field-name'],
  ['a name beyond ASCII', field('X\xe9: y'), 'bad-field-name'],
  ['a value with NUL', field('X: \0'), 'bad-field-value'],
  ['a value with a bare CR', field('X: a\rb'), 'bad-field-value'],
  ['a value with DEL', field('X: \x7f'), 'bad-field-value'],
  ['a bare LF behind a value', field('X: a\nY: b'), 'bare-line-feed'],
  ['a bare LF behind the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 'bad-start-line'],
  ['no host', 'GET / HTTP/1.1\r\nX: y\r\n\r\n', 'missing-host'],
  ['two hosts', field('Host: a'), 'duplicate-host'],
  ...['user@a', 'a/b', 'a,b', '', 'a b', 'a:port', 'a:123456', '[::1'].map(
    (host) => [`host "${host}"`, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 'bad-host'] as const,
  ),
  ['asterisk with GET', target('*'), 'bad-target'],
  ['asterisk with a path', target('*/x', 'OPTIONS'), 'bad-target'],
  ['CONNECT without a port', target('/', 'CONNECT'), 'bad-target'],
  ['a fragment', target('/a#b'), 'bad-target'],
  ['a backslash', target('/a\\b'), 'bad-target'],
  ['a target beyond ASCII', target('/\xe9'), 'bad-target'],
  ['NUL in the target', target('/\0'), 'bad-target'],
  ['a space in the target', target('/a b'), 'bad-start-line'],
  ['another scheme', target('ftp://a/'), 'bad-target'],
  ['user information', target('http://u@a/'), 'bad-target'],
  ['an encoded NUL', target('/%00'), 'bad-path'],
  ['an encoding that is none', target('/%zz'), 'bad-path'],
  ['overlong UTF-8', target('/%c0%af'), 'bad-path'],
  ['no method', ' / HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-method'],
  ['a method that is no token', 'G(T / HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-method'],
  ['a long method', `${'M'.repeat(100)} / HTTP/1.1\r\nHost: a\r\n\r\n`, 'bad-method'],
  ['HTTP/0.9', 'GET /\r\nHost: a\r\n\r\n', 'bad-target'],
  ['version 1.32', 'GET / HTTP/1.32\r\nHost: a\r\n\r\n', 'bad-start-line'],
  ['lower-case version', 'GET / http/1.1\r\nHost: a\r\n\r\n', 'bad-start-line'],
  ['version 9.9', 'GET / HTTP/9.9\r\nHost: a\r\n\r\n', 'unsupported-version'],
  ['version 1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 'unsupported-version'],
  ['version 01.01', 'GET / HTTP/01.01\r\nHost: a\r\n\r\n', 'bad-start-line'],
  ['113 fields', field(Array.from({ length: 112 }, (_, at) => `X${at}: y`).join('\r\n')), 'too-many-fields'],
  ['a long target', target(`/${'a'.repeat(17_000)}`), 'request-line-too-long'],
  ['an expectation we do not know', field('Expect: the-moon'), 'unknown-expectation'],
  ['a connection option that is no token', field('Connection: a b'), 'bad-connection'],
];

for (const [name, head, cause] of REFUSED) {
  test(`a request with ${name} is refused`, () => assert.equal(scan(head).cause, cause));
}

test('a sound head is read into its parts', () => {
  const { head, cause } = scan(
    'POST /a/b?x=1 HTTP/1.1\r\nHost: Shop.Example:8080\r\nContent-Length: 12\r\nX-A:  one \t\r\nx-a: two\r\n\r\n',
  );
  assert.equal(cause, '');
  assert.deepEqual(
    [head.method, head.target, head.path, head.query, head.authority, head.fields.contentLength, head.keepAlive],
    ['POST', '/a/b?x=1', '/a/b', 'x=1', 'shop.example:8080', 12, true],
  );
  assert.equal(head.header('x-a'), 'one,two');
  assert.equal(head.header('x-b'), undefined);
});

test('an absolute target names the host, whatever the Host field says', () => {
  const { head } = scan('GET http://web:80?q HTTP/1.1\r\nHost: other\r\n\r\n');
  assert.deepEqual([head.authority, head.target, head.path], ['web:80', '/?q', '/']);
  assert.equal(scan('OPTIONS http://web HTTP/1.1\r\nHost: web\r\n\r\n').head.target, '*');
});

test('an HTTP/1.0 client stays only when it asks to, and needs no host', () => {
  assert.equal(scan('GET / HTTP/1.0\r\n\r\n').head.keepAlive, false);
  assert.equal(scan('GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n').head.keepAlive, true);
  assert.equal(scan('GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n').head.keepAlive, false);
});

test('paths are resolved before they are matched', () => {
  const cases = [
    ['/a/../b', '/b'],
    ['/a/./b/.', '/a/b/'],
    ['/%2e%2E/x', '/x'],
    ['/../../x', '/x'],
    ['/a/..', '/'],
    ['//a', '//a'],
    ['/a%2Fb;x', '/a%2Fb;x'],
    ['/.well-known/x', '/.well-known/x'],
  ] as const;
  for (const [given, wanted] of cases) {
    const { head, cause } = scan(target(`${given}?q=..`));
    assert.deepEqual([cause, head.path, head.target], ['', wanted, `${wanted}?q=..`], given);
  }
});

test('whatever bytes come, a head is read or refused, never misread, and the scanner is as good as new after it', () => {
  const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  const piece = fc.oneof(byte, fc.constantFrom('\r\n', ': ', 'Host: a', 'GET ', ' HTTP/1.1', '/', 'Content-Length: 1'));
  const head = new RequestHead();
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = `GET / HTTP/1.1\r\nHost: a\r\n${pieces.join('')}`;
      const cut = text.indexOf('\r\n\r\n');
      const whole = cut < 0 ? `${text.replace(/\r?\n?$/, '')}\r\n\r\n` : text;
      const fault = scanText(head, whole);
      if (fault === undefined) {
        assert.equal(head.method, 'GET');
        for (let at = 0; at < head.fields.count; at++) assert.match(head.fields.name(at), /^[!#-'*+\-.^-z|~0-9A-Z]+$/);
      }
      assert.equal(scanText(head, NEXT), undefined);
      assert.deepEqual([head.target, head.authority, head.fields.contentLength], ['/x', 'b', -1]);
    }),
    { numRuns: 2000 },
  );
});
