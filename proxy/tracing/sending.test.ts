import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { FakeClock } from '../../kit/fake-clock.ts';
import { silentLog } from '../../kit/log.ts';
import { seededRandom } from '../../kit/random.ts';
import { otlpJson } from './otlp-json.ts';
import { otlpSender } from './otlp-sender.ts';
import type { Span } from './span.ts';
import { headersOf } from './start-tracing.ts';
import { type Sent, Tracer } from './tracer.ts';

const SPAN: Span = {
  traceId: '5b8efff798038103d269b633813fc60c',
  spanId: 'eee19b7ec3c1b174',
  parentSpanId: 'eee19b7ec3c1b173',
  name: 'GET',
  kind: 'server',
  startMs: 1_544_712_660_000.25,
  endMs: 1_544_712_661_000.5,
  attributes: { 'url.path': '/"ü', 'http.response.status_code': 500 },
  failed: true,
};
const SOURCE = { resource: { 'service.name': 'shop' }, version: '1.0.0' };

test('spans are written as OTLP’s JSON mapping says: hexadecimal ids, numbers for enums, text for 64-bit numbers', () => {
  assert.deepEqual(JSON.parse(otlpJson([SPAN, { ...SPAN, kind: 'client', parentSpanId: '', failed: false }], SOURCE)), {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
        scopeSpans: [
          {
            scope: { name: 'tutti', version: '1.0.0' },
            spans: [
              {
                traceId: '5b8efff798038103d269b633813fc60c',
                spanId: 'eee19b7ec3c1b174',
                parentSpanId: 'eee19b7ec3c1b173',
                name: 'GET',
                kind: 2,
                startTimeUnixNano: '1544712660000250000',
                endTimeUnixNano: '1544712661000500000',
                attributes: [
                  { key: 'url.path', value: { stringValue: '/"ü' } },
                  { key: 'http.response.status_code', value: { intValue: '500' } },
                ],
                status: { code: 2 },
              },
              {
                traceId: '5b8efff798038103d269b633813fc60c',
                spanId: 'eee19b7ec3c1b174',
                name: 'GET',
                kind: 3,
                startTimeUnixNano: '1544712660000250000',
                endTimeUnixNano: '1544712661000500000',
                attributes: [
                  { key: 'url.path', value: { stringValue: '/"ü' } },
                  { key: 'http.response.status_code', value: { intValue: '500' } },
                ],
                status: {},
              },
            ],
          },
        ],
      },
    ],
  });
});

// OTLP/HTTP, "Response": what each answer means for the batch.
for (const [status, body, sent] of [
  [200, '{}', { outcome: 'taken', refused: 0 }],
  [200, '', { outcome: 'taken', refused: 0 }],
  [200, '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"no"}}', { outcome: 'taken', refused: 1 }],
  [503, '', { outcome: 'later' }],
  [429, '', { outcome: 'later' }],
  [400, '', { outcome: 'refused' }],
  [500, '', { outcome: 'refused' }],
] as const) {
  test(`a collector that answers ${status} ${body} has ${sent.outcome === 'taken' ? `taken all but ${sent.refused}` : `not taken them: ${sent.outcome}`}`, async () => {
    const asked: unknown[] = [];
    const server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => void (text += chunk.toString()));
      request.on('end', () => {
        const { method, url, headers } = request;
        asked.push([method, url, headers['content-type'], headers['api-key'], JSON.parse(text)]);
        response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
    const send = otlpSender({ endpoint, headers: { 'api-key': 'k' }, source: SOURCE });
    const { outcome, refused } = { refused: undefined, ...(await send([SPAN])) };
    server.close();
    assert.deepEqual([outcome, refused], [sent.outcome, 'refused' in sent ? sent.refused : undefined]);
    assert.deepEqual(asked, [['POST', '/v1/traces', 'application/json', 'k', JSON.parse(otlpJson([SPAN], SOURCE))]]);
  });
}

test('a collector that is not there is tried again later', async () => {
  const send = otlpSender({ endpoint: 'http://127.0.0.1:1/v1/traces', headers: {}, source: SOURCE });
  assert.equal((await send([SPAN])).outcome, 'later');
});

test('the headers of OpenTelemetry’s variable are read, percent signs and all', () => {
  assert.deepEqual(headersOf('Api-Key=a%20b, x=1=2,,broken,%=%zz'), { 'api-key': 'a b', x: '1=2', '%': '%zz' });
  assert.deepEqual(headersOf(undefined), {});
});

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

function queueing(answers: Sent[]): { readonly tracer: Tracer; readonly clock: FakeClock; readonly batches: number[] } {
  const clock = new FakeClock();
  const batches: number[] = [];
  const tracer = new Tracer({
    samplingRatio: 1,
    send: (spans) => {
      batches.push(spans.length);
      return Promise.resolve(answers.shift() ?? { outcome: 'taken', refused: 0 });
    },
    clock,
    random: seededRandom(1),
    log: silentLog(),
  });
  return { tracer, clock, batches };
}

function finish(tracer: Tracer, count: number): void {
  for (let turn = 0; turn < count; turn++) {
    const context = tracer.sample(undefined);
    assert.ok(context !== undefined);
    tracer
      .begin(context, {
        method: 'GET',
        scheme: 'http',
        authority: 'a',
        path: '/',
        rpcMethod: '',
        clientAddress: '',
        direction: 'ingress',
      })
      .finish({ status: 200, reason: '', grpcStatus: -1, cluster: 'app', protocol: 'http1' });
  }
}

test('spans wait for company, at most five seconds, and leave in batches', async () => {
  const { tracer, clock, batches } = queueing([]);
  finish(tracer, 3);
  await clock.advance(4999);
  assert.deepEqual(batches, []);
  await clock.advance(1);
  await turns();
  assert.deepEqual(batches, [3]);
  finish(tracer, 130);
  await clock.advance(0);
  await turns();
  assert.deepEqual(batches, [3, 128, 2]);
  assert.equal(tracer.counts.exported, 133);
});

test('a collector that cannot take them now gets them later; what finds the queue full is dropped and counted', async () => {
  const later = { outcome: 'later', why: 'test' } as const;
  const { tracer, clock, batches } = queueing([later, later]);
  finish(tracer, 5000);
  assert.equal(tracer.counts.dropped.queue_full, 5000 - 2048);
  for (let second = 0; second < 60 && tracer.counts.exported < 2048; second++) {
    await clock.advance(1000);
    await turns();
  }
  assert.equal(tracer.counts.exported, 2048);
  assert.equal(batches.length, 2 + 2048 / 128);
});

test('a batch that is refused is not sent again, and a proxy that ends sends what it has', async () => {
  const { tracer, clock } = queueing([{ outcome: 'refused', why: 'test' }]);
  finish(tracer, 2);
  await clock.advance(5000);
  await turns();
  assert.deepEqual([tracer.counts.exported, tracer.counts.dropped.refused], [0, 2]);
  finish(tracer, 4);
  await tracer.close();
  assert.equal(tracer.counts.exported, 4);
  finish(tracer, 1);
  assert.equal(tracer.counts.dropped.closing, 1);
});
