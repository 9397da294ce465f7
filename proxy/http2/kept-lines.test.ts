import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeptHeads } from './kept-lines.ts';
import { encodeHeadLines } from './render.ts';

const LINES = [
  'host: shop.example',
  'Host:  other.example ',
  'user-agent: grpc-node-js/1.14.0, a long name that makes it worth keeping',
  'user-agent: grpc-go/1.78.0, another long name that makes it worth keeping',
  'Connection: keep-alive',
  'te: trailers',
  'x-tenant: \tone ',
  'x-tenant: two',
  'x-forwarded-for: 10.0.0.1',
  "authorization: Bearer of a secret that is nobody else's business",
  'x-request-id: 1',
  'x-request-id: 2',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
];
const DROPPED = new Set(['connection', 'te']);
const START = 'POST / HTTP/1.1\r\n';
const head = fc
  .array(fc.constantFrom(...LINES), { maxLength: 8 })
  .map((lines) => `${START}${[...lines, '', ''].join('\r\n')}`);

test('whatever heads have come before, a head becomes the same fields as by itself', () => {
  fc.assert(
    fc.property(
      fc.array(head, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 60 }),
      (heads, order) => {
        const kept = new KeptHeads();
        for (const at of order) {
          const text = heads[at % heads.length] ?? '';
          const alone = encodeHeadLines(text, START.length, DROPPED, undefined);
          const { authority, fields } = encodeHeadLines(text, START.length, DROPPED, kept);
          assert.deepEqual({ authority, fields }, { authority: alone.authority, fields: alone.fields });
        }
      },
    ),
    { numRuns: 2000 },
  );
});

const CLIENT = `host: shop.example\r\nuser-agent: ${'x'.repeat(60)}\r\n`;
const request = (client: string, id: number): string => `${START}${client}x-request-id: ${id}\r\n\r\n`;

/** How many bytes of the head were known. */
function ask(kept: KeptHeads, text: string): number {
  const known = kept.find(text, START.length)?.lines.length ?? 0;
  encodeHeadLines(text, START.length, DROPPED, kept);
  return known;
}

test('lines that have come twice are known the third time, up to those that differ from call to call', () => {
  const kept = new KeptHeads();
  assert.deepEqual(
    [1, 2, 3, 4].map((id) => ask(kept, request(CLIENT, id))),
    [0, 0, CLIENT.length, CLIENT.length],
  );
});

test('secrets are not kept, nor what stands behind them', () => {
  const kept = new KeptHeads();
  const client = `${CLIENT}authorization: Bearer x\r\nx-tenant: one\r\n`;
  assert.deepEqual(
    [1, 2, 3].map((id) => ask(kept, request(client, id))),
    [0, 0, CLIENT.length],
  );
});

test('heads that never come again do not push out those that do', () => {
  const kept = new KeptHeads();
  for (let id = 0; id < 3; id++) ask(kept, request(CLIENT, id));
  for (let id = 0; id < 100; id++) ask(kept, request(`${CLIENT}x-once: ${id}\r\n`, id));
  assert.equal(ask(kept, request(CLIENT, 4)), CLIENT.length);
});

test('of more clients than are kept the last are, and long heads are not', () => {
  const kept = new KeptHeads();
  const client = (number: number): string => `${CLIENT}x-tenant: ${number}\r\n`;
  for (let number = 0; number < 20; number++) {
    for (let id = 0; id < 2; id++) ask(kept, request(client(number), id));
  }
  assert.equal(ask(kept, request(client(19), 3)), client(19).length);
  assert.equal(ask(kept, request(client(0), 3)), 0);
  const long = `x-long: ${'x'.repeat(3000)}\r\n`;
  for (let id = 0; id < 3; id++) assert.equal(ask(kept, request(long, id)), 0);
});

test('a head that begins as another one does is known to its own end', () => {
  const kept = new KeptHeads();
  const longer = `${CLIENT}x-tenant: one\r\n`;
  for (let id = 0; id < 3; id++) ask(kept, request(CLIENT, id));
  assert.deepEqual(
    [1, 2, 3].map((id) => ask(kept, request(longer, id))),
    [CLIENT.length, CLIENT.length, longer.length],
  );
  assert.equal(ask(kept, request(CLIENT, 4)), CLIENT.length);
});

test('a head of which nothing differs is known whole', () => {
  const kept = new KeptHeads();
  assert.deepEqual(
    [1, 2, 3].map(() => ask(kept, START + CLIENT)),
    [0, 0, CLIENT.length],
  );
});
