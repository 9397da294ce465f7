import assert from 'node:assert/strict';
import { test } from 'node:test';
import { likelySpokenBy, MAX_LOOKED_AT_BYTES, type Spoken, spokenBy } from './first-bytes.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

const CASES: readonly (readonly [bytes: string, spoken: Spoken | undefined, likely: Spoken])[] = [
  ['', undefined, 'bytes'],
  ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'http/1.1', 'http/1.1'],
  ['GET / HTTP/1.1\n', 'http/1.1', 'http/1.1'],
  ['\r\n\r\nGET / HTTP/1.0\r\n', 'http/1.0', 'http/1.0'],
  ['M-SEARCH * HTTP/1.1\r\n', 'http/1.1', 'http/1.1'],
  // Answered with 505: it is HTTP all the same.
  ['GET / HTTP/3.0\r\n', 'http/1.1', 'http/1.1'],
  ['GET / HTTP/1.1', undefined, 'http/1.1'],
  ['GET /a/long', undefined, 'http/1.1'],
  ['GET ', undefined, 'bytes'],
  ['OPTIONS *', undefined, 'http/1.1'],
  ['GE', undefined, 'bytes'],
  [PREFACE, 'h2c', 'h2c'],
  [PREFACE.slice(0, 9), undefined, 'http/1.1'],
  ['\x16\x03\x01\x02\x00\x01', 'tls', 'tls'],
  ['\x16', undefined, 'bytes'],
  ['\x16\x02', 'bytes', 'bytes'],
  // Redis, inline and as its clients write.
  ['PING\r\n', 'bytes', 'bytes'],
  ['GET key\r\n', 'bytes', 'bytes'],
  ['GET key', undefined, 'bytes'],
  ['*1\r\n$4\r\nPING\r\n', 'bytes', 'bytes'],
  // SMTP, MySQL, PostgreSQL, HTTP/0.9, a header's line.
  ['EHLO mail.example\r\n', 'bytes', 'bytes'],
  ['\x4a\x00\x00\x00\x0a8.0.36', 'bytes', 'bytes'],
  ['\x00\x00\x00\x08\x04\xd2\x16\x2f', 'bytes', 'bytes'],
  ['GET /\r\n', 'bytes', 'bytes'],
  ['GET / FTP/1.1\r\n', 'bytes', 'bytes'],
  ['GET / HTTP/11\r\n', 'bytes', 'bytes'],
  ['GET / HTTP/1.1 x\r\n', 'bytes', 'bytes'],
  ['GET  / HTTP/1.1\r\n', 'bytes', 'bytes'],
  [' GET / HTTP/1.1\r\n', 'bytes', 'bytes'],
  [`${'A'.repeat(40)} / HTTP/1.1\r\n`, 'bytes', 'bytes'],
  [`GET /${'a'.repeat(MAX_LOOKED_AT_BYTES)}`, 'http/1.1', 'http/1.1'],
  // However the bytes are cut, what comes behind the limit says nothing.
  [`GET /${'a'.repeat(MAX_LOOKED_AT_BYTES)}\0`, 'http/1.1', 'http/1.1'],
  ['\r\n'.repeat(MAX_LOOKED_AT_BYTES), 'bytes', 'bytes'],
];

test('what a client speaks is known by its first bytes', () => {
  for (const [text, spoken, likely] of CASES) {
    const bytes = Buffer.from(text, 'latin1');
    assert.equal(spokenBy(bytes), spoken, JSON.stringify(text.slice(0, 60)));
    assert.equal(likelySpokenBy(bytes), likely, `likely ${JSON.stringify(text.slice(0, 60))}`);
  }
});
