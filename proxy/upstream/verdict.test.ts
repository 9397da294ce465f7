import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResponseHead } from '../http1/response-head.ts';
import { scanText } from '../test-support/scan-text.ts';
import { cluster } from '../test-support/tables.ts';
import { failureIn } from './verdict.ts';

function failure(
  status: number,
  said: string | undefined,
  hop: 'mTLS' | 'plain',
  statuses: readonly number[],
): unknown {
  const head = new ResponseHead();
  const line = said === undefined ? '' : `x-tutti-reason: ${said}\r\n`;
  assert.equal(scanText(head, `HTTP/1.1 ${status} Some\r\n${line}Content-Length: 0\r\n\r\n`), undefined);
  const config = cluster('app', [], hop === 'plain' ? {} : { tls: { serverName: 'app', spiffeIds: [] } });
  return failureIn(head, { cluster: { config }, action: { retry: { statuses } } });
}

for (const [what, status, said, hop, statuses, wanted] of [
  ['200', 200, undefined, 'mTLS', [], 'given on'],
  ['404', 404, undefined, 'plain', [503], 'given on'],
  ['500', 500, undefined, 'plain', [], undefined],
  ['599', 599, undefined, 'mTLS', [], undefined],
  ['429 that the route names', 429, undefined, 'plain', [429], undefined],
  ["503 and a mesh proxy's word", 503, 'UF', 'mTLS', [], 'UF'],
  ["200 and a mesh proxy's word", 200, 'UC', 'mTLS', [], 'UC'],
  ["503 and the word of who has not proved to be a mesh proxy's", 503, 'UF', 'plain', [], undefined],
  ['200 and such a word', 200, 'UF', 'plain', [], 'given on'],
  ['200 and a word that is no reason', 200, 'XX', 'mTLS', [], 'given on'],
] as const) {
  test(`an answer of ${what}, over ${hop}: ${wanted === 'given on' ? wanted : 'another try may be worth more'}`, () => {
    const expected = wanted === 'given on' ? undefined : { kind: 'answer', status, meshReason: wanted };
    assert.deepEqual(failure(status, said, hop, statuses), expected);
  });
}
