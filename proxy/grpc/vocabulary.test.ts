import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { kindOfType } from './call-kind.ts';
import { grpcOwnLines } from './own-lines.ts';
import { grpcStatusFor, parseGrpcStatus, statusInTrailers } from './status.ts';
import { grpcTimeoutMs } from './timeout.ts';

test('a content type says what kind of call it is', () => {
  for (const [type, kind] of [
    ['application/grpc', 'grpc'],
    ['application/grpc+proto', 'grpc'],
    ['Application/GRPC+json', 'grpc'],
    ['application/grpc;charset=utf-8', 'grpc'],
    ['application/grpc-web', 'web'],
    ['application/grpc-web+proto', 'web'],
    ['application/grpc-web-text', 'web-text'],
    ['application/grpc-web-text+proto', 'web-text'],
    ['application/grpcx', 'none'],
    ['application/grpc-websocket', 'none'],
    ['application/json', 'none'],
    ['text/application/grpc', 'none'],
  ] as const) {
    assert.equal(kindOfType(type), kind, type);
  }
});

test('an HTTP status becomes the gRPC status that a client would make of it, and a time-out DEADLINE_EXCEEDED', () => {
  for (const [status, reason, grpc] of [
    [400, 'DPE', 13],
    [401, '', 16],
    [403, '', 7],
    [404, 'NR', 12],
    [408, 'DT', 2],
    [429, '', 14],
    [500, 'NC', 2],
    [502, 'UPE', 14],
    [503, 'UF', 14],
    [503, 'UO', 14],
    [504, '', 14],
    [504, 'UT', 4],
    [0, 'DC', 1],
    [200, '', 2],
  ] as const) {
    assert.equal(grpcStatusFor(status, reason), grpc, `${status} ${reason}`);
  }
});

test('time-outs are read in every unit, rounded up, and nothing else is one', () => {
  for (const [text, ms] of [
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['15S', 15_000],
    ['250m', 250],
    ['1500u', 2],
    ['1n', 1],
    ['0S', 1],
    ['99999999m', 99_999_999],
    ['100000000m', undefined],
    ['S', undefined],
    ['1s', undefined],
    ['-1S', undefined],
    [' 1S', undefined],
    ['', undefined],
    [undefined, undefined],
  ] as const) {
    assert.equal(grpcTimeoutMs(text), ms, String(text));
  }
});

test('a status in trailers is found whatever stands around it, and what is none of gRPC’s is UNKNOWN', () => {
  assert.equal(statusInTrailers('x-grpc-status: 1\r\nGrpc-Status:  5 \r\ngrpc-message: grpc-status: 7\r\n'), 5);
  assert.equal(statusInTrailers('grpc-message: grpc-status: 7\r\n'), undefined);
  assert.equal(statusInTrailers(''), undefined);
  for (const text of ['17', '-1', '', 'OK', '1e1', '999']) assert.equal(parseGrpcStatus(text), 2, text);
});

test('the message of an own answer decodes to what it was, and is visible ASCII on the wire', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.constantFrom('grpc', 'web', 'web-text'), (message, kind) => {
      const lines = grpcOwnLines(kind, 14, message);
      assert.match(lines, /^([a-z-]+: [\x20-\x7e]*\r\n)+$/);
      const [, written = ''] = /grpc-message: (.*)\r\n/.exec(lines) ?? [];
      assert.equal(decodeURIComponent(written), message);
      assert.equal(statusInTrailers(lines), 14);
    }),
    { numRuns: 2000 },
  );
});
