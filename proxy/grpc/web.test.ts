import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import fc from 'fast-check';
import { echoServer } from '../test-support/grpc-peers.ts';
import { rawExchange, startEngine } from '../test-support/harness.ts';
import { testClient, testServer } from '../test-support/http2-peers.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../test-support/tables.ts';
import { Base64Reader } from './base64.ts';
import { trailersMessage } from './web.ts';

/** PROTOCOL-WEB.md: a flag, a length, and that many bytes. */
function message(payload: string | Buffer): Buffer {
  const bytes = Buffer.from(payload);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** What a body says, by the specification alone. */
function read(body: Buffer): { readonly messages: string[]; readonly trailers: string | undefined } {
  const messages: string[] = [];
  let at = 0;
  while (at < body.length) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    const payload = body.subarray(at + 5, end).toString('latin1');
    assert.ok(end <= body.length, 'a message is whole');
    if (body[at] === 0x80) {
      assert.equal(end, body.length, 'nothing follows the trailers');
      return { messages, trailers: payload };
    }
    messages.push(payload);
    at = end;
  }
  return { messages, trailers: undefined };
}

/** Text whose chunks were padded where they were flushed. */
function fromText(body: string): Buffer {
  assert.match(body, /^(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)*$/);
  return Buffer.concat(body.split(/(?<==)(?!=)/).map((piece) => Buffer.from(piece, 'base64')));
}

async function proxyTo(port: number, protocol: 'http1' | 'http2' = 'http2') {
  return await startEngine({
    tables: tables(
      [listener('in', 'table')],
      [routeTable('table', [route(forward('app'))])],
      [cluster('app', [port], { protocol })],
    ),
  });
}

const FORMS = [
  { type: 'application/grpc-web+proto', text: false },
  { type: 'application/grpc-web', text: false },
  { type: 'application/grpc-web-text+proto', text: true },
  { type: 'application/grpc-web-text', text: true },
] as const;

for (const version of ['HTTP/1.1', 'HTTP/2'] as const) {
  for (const { type, text } of FORMS) {
    test(`${type} over ${version} reaches a gRPC server, and its answer and trailers come back in the body`, async () => {
      await using app = await echoServer();
      await using proxy = await proxyTo(app.port);
      await using client = testClient(version, proxy.port('in'));
      const call = async (method: string, ...payloads: readonly (string | Buffer)[]) => {
        const pieces = payloads.map(message);
        const body = text
          ? pieces.map((piece) => piece.toString('base64')).join('')
          : Buffer.concat(pieces).toString('latin1');
        const headers = { 'content-type': type, accept: text ? 'application/grpc-web-text' : '*/*', 'x-asked': 'yes' };
        const answer = await client.ask({ method: 'POST', path: `/test.Echo/${method}`, headers, body });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['content-type'], `application/grpc-web${text ? '-text' : ''}+proto`);
        assert.deepEqual(answer.trailers, {}, 'no trailers of HTTP');
        return { ...read(text ? fromText(answer.body) : Buffer.from(answer.body, 'latin1')), headers: answer.headers };
      };

      const hello = await call('Unary', 'hello');
      assert.deepEqual(hello.messages, ['hello']);
      assert.equal(hello.headers['x-head'], 'yes');
      assert.match(hello.trailers ?? '', /^grpc-status:0\r\n/m);
      assert.match(hello.trailers ?? '', /^x-trailer:behind\r\n/m);
      // 300 kB fill windows and are cut in many places.
      const large = 'x'.repeat(300_001);
      assert.deepEqual((await call('Unary', large)).messages, [large]);
      const counted = await call('Count', '7');
      assert.deepEqual(counted.messages, ['1', '2', '3', '4', '5', '6', '7']);
      assert.match(counted.trailers ?? '', /x-trailer:counted/);
      assert.deepEqual((await call('Sum', 'abc', 'de', 'f')).messages, ['6']);
      // An error at once has no body: its status is in the head.
      const failed = await call('Unary', 'fail');
      assert.deepEqual([failed.messages, failed.trailers, failed.headers['grpc-status']], [[], undefined, '9']);
    });
  }
}

test('a stream’s messages reach a client of the text form one by one, none waits for the next', async () => {
  await using app = await echoServer();
  await using proxy = await proxyTo(app.port);
  const got = await new Promise<string[]>((resolve, reject) => {
    const messages: string[] = [];
    const headers = { 'content-type': 'application/grpc-web-text', accept: 'application/grpc-web-text' };
    const options = { port: proxy.port('in'), host: '127.0.0.1', method: 'POST', path: '/test.Echo/Chat', headers };
    const request = http.request(options, (response) => {
      let text = '';
      response.setEncoding('latin1');
      response.on('data', (piece: string) => {
        text += piece;
        const { messages: sofar } = read(fromText(text));
        while (messages.length < sofar.length) {
          messages.push(sofar[messages.length] ?? '');
          if (messages.length < 3) request.write(message('abc'[messages.length] ?? '').toString('base64'));
          else request.end();
        }
      });
      response.on('end', () => resolve(messages));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.write(message('a').toString('base64'));
  });
  assert.deepEqual(got, ['a!', 'b!', 'c!']);
});

test('text that is no base64, or has no end, fails the call and not the connection', async () => {
  await using app = await echoServer();
  await using proxy = await proxyTo(app.port);
  for (const version of ['HTTP/1.1', 'HTTP/2'] as const) {
    await using client = testClient(version, proxy.port('in'));
    for (const body of ['AAAA*AAA', 'AAAA=AAA', 'AA', 'A===']) {
      const headers = { 'content-type': 'application/grpc-web-text' };
      const answer = await client.ask({ method: 'POST', path: '/test.Echo/Unary', headers, body });
      assert.deepEqual([answer.status, answer.headers['grpc-status']], [200, '13'], `${version} ${body}`);
      assert.equal(answer.headers['grpc-message'], 'the body is not base64');
    }
  }
});

test('an answer that is no gRPC, and a backend that speaks HTTP/1.1, see no translation', async () => {
  await using odd = await testServer('HTTP/2', (request, response) => {
    response.writeHead(415, { 'content-type': 'text/plain' });
    response.end(String(request.headers['content-type']));
  });
  await using web = await testServer('HTTP/1.1', (request, response, body) => {
    response.writeHead(200, { 'content-type': request.headers['content-type'] ?? '' });
    response.end(body);
  });
  await using toOdd = await proxyTo(odd.port);
  await using toWeb = await proxyTo(web.port, 'http1');
  const headers = { 'content-type': 'application/grpc-web-text+thrift' };
  const asked = { method: 'POST', path: '/a.B/C', headers, body: 'AAAAAAA=' };
  await using first = testClient('HTTP/1.1', toOdd.port('in'));
  const plain = await first.ask(asked);
  assert.deepEqual([plain.status, plain.body], [415, 'application/grpc+thrift']);
  await using second = testClient('HTTP/1.1', toWeb.port('in'));
  const through = await second.ask(asked);
  assert.deepEqual([through.headers['content-type'], through.body], [headers['content-type'], asked.body]);
});

test('the next request on a connection is untouched by a translated one', async () => {
  await using app = await echoServer();
  await using proxy = await proxyTo(app.port);
  const body = message('hi').toString('base64');
  const head = `POST /test.Echo/Unary HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc-web-text\r\naccept: application/grpc-web-text\r\ncontent-length: ${body.length}\r\n\r\n`;
  const answer = await rawExchange(
    proxy.port('in'),
    head + body + head + body,
    (text) => text.split('\r\n0\r\n\r\n').length > 2,
  );
  assert.equal(answer.match(/HTTP\/1\.1 200/g)?.length, 2);
  assert.equal(answer.match(new RegExp(message('hi').toString('base64').replace('+', '\\+'), 'g'))?.length, 2);
});

test('however text is cut and wherever it is padded, the same bytes come out', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  fc.assert(
    fc.property(pieces, fc.array(fc.nat(60), { maxLength: 20 }), (chunks, cuts) => {
      const text = Buffer.from(chunks.map((chunk) => Buffer.from(chunk).toString('base64')).join(''), 'latin1');
      const reader = new Base64Reader();
      const out: Buffer[] = [];
      let at = 0;
      for (const cut of [...cuts, text.length]) {
        const end = Math.min(text.length, at + cut);
        const bytes = reader.read(text, at, end);
        assert.ok(bytes !== undefined);
        out.push(bytes);
        at = end;
      }
      assert.ok(reader.isWhole);
      assert.deepEqual(Buffer.concat(out), Buffer.concat(chunks));
    }),
    { numRuns: 10_000 },
  );
});

test('whatever comes as text, either it is refused or what comes out encodes to it again', () => {
  const base64 = fc.stringMatching(/^[A-D+/=]{0,16}$/);
  fc.assert(
    fc.property(base64, (text) => {
      const bytes = new Base64Reader().read(Buffer.from(text, 'latin1'), 0, text.length);
      const sound = /^(?:[A-D+/]{4}|[A-D+/]{3}=|[A-D+/]{2}==)*$/.test(text.slice(0, text.length - (text.length % 4)));
      assert.equal(bytes !== undefined, sound);
    }),
    { numRuns: 10_000 },
  );
});

test('trailers become one message with the highest flag', () => {
  const { trailers } = read(trailersMessage('grpc-status: 0\r\nx-a: b: c\r\n'));
  assert.equal(trailers, 'grpc-status:0\r\nx-a:b: c\r\n');
  assert.deepEqual([...trailersMessage('')], [0x80, 0, 0, 0, 0]);
});
