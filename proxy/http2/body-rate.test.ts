import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { test } from 'node:test';
import { eventually } from '../test-support/harness.ts';
import { beforeSlowBodies, type SlowBodies } from '../test-support/slow-bodies.ts';

interface Post {
  readonly stream: http2.ClientHttp2Stream;
  readonly status: () => number | undefined;
  readonly body: () => string;
}

interface Setup extends SlowBodies {
  /** A request that has announced a body. */
  post(more?: http2.OutgoingHttpHeaders): Promise<Post>;
}

async function setUp(...given: Parameters<typeof beforeSlowBodies>): Promise<Setup> {
  const set = await beforeSlowBodies(...given);
  const session = http2.connect(`http://127.0.0.1:${set.proxy.port('in')}`);
  session.on('error', () => undefined);
  return {
    ...set,
    post: async (more = {}) => {
      const before = set.upstream.connections;
      const stream = session.request({ ':method': 'POST', ':path': '/slow', ...more }, { endStream: false });
      let status: number | undefined;
      let body = '';
      stream.on('response', (headers) => void (status = headers[':status']));
      stream.on('data', (data: Buffer) => void (body += data.toString()));
      stream.on('error', () => undefined);
      await eventually(() => set.upstream.connections > before || status !== undefined, 'the request');
      return { stream, status: () => status, body: () => body };
    },
    [Symbol.asyncDispose]: async () => {
      session.destroy();
      await set[Symbol.asyncDispose]();
    },
  };
}

const bytesAt = ({ upstream }: Setup, connection: number): number =>
  (upstream.received[connection]?.match(/z/g) ?? []).length;

test('at the edge a body of HTTP/2 that trickles ends with 408, and no other stream of the connection does', async () => {
  await using set = await setUp();
  const [trickle, modem] = [await set.post(), await set.post()];
  const call = await set.post({ 'content-type': 'application/grpc', te: 'trailers' });
  const talk = await set.post({ ':path': '/talk' });
  await eventually(() => talk.status() === 200, 'the answer that begins before its request is whole');
  let sent = 0;
  for (let second = 1; second <= 40; second++) {
    if (second % 10 === 0) trickle.stream.write('z');
    modem.stream.write('z'.repeat(600));
    sent += 600;
    await eventually(() => bytesAt(set, 1) === sent, 'the bytes');
    await set.clock.advance(1000);
    if (second === 18) assert.equal(trickle.status(), undefined);
  }
  await eventually(() => trickle.stream.closed, 'the end of the slow one');
  assert.deepEqual([trickle.status(), trickle.body(), trickle.stream.rstCode], [408, 'request-body-timeout\n', 0]);
  assert.equal(modem.status(), undefined);
  modem.stream.close();
  await set.clock.advance(600_000);
  assert.deepEqual([call.status(), call.stream.closed, talk.stream.closed], [undefined, false, false]);
  assert.deepEqual([...set.proxy.engine.telemetry.rejections.values()], [1]);
});

test('inside the mesh, and while the upstream has not said 100 Continue, nobody is hurried over HTTP/2 either', async () => {
  for (const [direction, more] of [
    ['inbound', {}],
    ['ingress', { expect: '100-continue' }],
  ] as const) {
    await using set = await setUp(direction);
    const { status, stream } = await set.post(more);
    await set.clock.advance(600_000);
    assert.deepEqual([status(), stream.closed], [undefined, false]);
  }
});
