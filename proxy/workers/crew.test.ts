import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';
import type { Figures } from '../engine.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { answering, eventually, type RawUpstream, rawExchange, rawUpstream } from '../test-support/harness.ts';
import { type TestAuthority, testAuthority } from '../test-support/mesh.ts';
import { cluster, forward, listener, outlierDetection, route, routeTable, tables } from '../test-support/tables.ts';
import { Crew } from './crew.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** A worker that the machine holds up for a second has not found its app to be down. */
const PATIENT = { connectTimeoutMs: 30_000 };

describe('two workers', () => {
  let app: RawUpstream;
  let ca: TestAuthority;
  let crew: Crew;
  let identity: MeshIdentity;
  const setUp = (names: readonly string[] = ['in']) =>
    tables(
      names.map((name) => listener(name, 't', { direction: 'ingress' }, { accessLog: false })),
      [routeTable('t', [route(forward('app'))])],
      [cluster('app', [app.port], PATIENT)],
    );

  before(async () => {
    app = await rawUpstream((socket, received) => {
      const isWhole = received.includes('POST') ? received.endsWith('done') : received.endsWith('\r\n\r\n');
      if (isWhole) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    ca = await testAuthority();
    identity = ca.identity('web');
    const shared = { clock: systemClock(), random: systemRandom(), log: silentLog() };
    crew = new Crew({ ...shared, workers: 2, logLevel: 'silent', component: 'test' });
    crew.setIdentity(identity);
    assert.equal(crew.ready, false);
    assert.deepEqual(await crew.apply(setUp()), []);
  });
  after(async () => {
    await crew.close();
    await app[Symbol.asyncDispose]();
    await ca[Symbol.asyncDispose]();
  });

  async function port(): Promise<number> {
    return (await crew.figures()).listeners().find(({ name }) => name === 'in')?.port ?? 0;
  }

  async function ask(times: number): Promise<void> {
    const to = await port();
    for (const answer of await Promise.all(Array.from({ length: times }, () => rawExchange(to, GET)))) {
      assert.match(answer, /ok$/);
    }
  }

  interface Connection {
    readonly socket: net.Socket;
    ask(): Promise<void>;
  }

  async function connected(): Promise<Connection> {
    const socket = net.connect(await port(), '127.0.0.1');
    let answers = '';
    socket.on('data', (data: Buffer) => void (answers += data.toString()));
    socket.on('error', () => undefined);
    let asked = 0;
    const ask = async (): Promise<void> => {
      asked++;
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await eventually(() => answers.split('HTTP/1.1 ').length - 1 === asked, 'an answer');
    };
    return { socket, ask };
  }

  /** One connection on each worker: the kernel says which has it, so they are made until both have one. */
  async function onBothWorkers(): Promise<readonly [Connection, Connection]> {
    const found = new Map<number, Connection>();
    await waitFor('a connection on each worker', async () => {
      const before = (await crew.figures()).workers();
      const made = await connected();
      await made.ask();
      const after = (await crew.figures()).workers();
      const more = after.map(({ requests }, worker) => requests - (before[worker]?.requests ?? 0));
      const at = more.indexOf(1);
      // A worker that was too busy to answer is shown as it was: then nothing is certain.
      if (at < 0 || more.some((count, worker) => worker !== at && count !== 0) || found.has(at)) made.socket.destroy();
      else found.set(at, made);
      return found.size === 2;
    });
    const [one, other] = found.values();
    if (one === undefined || other === undefined) throw new Error('no two connections');
    return [one, other];
  }

  const requests = ({ telemetry }: Figures): number => {
    let sum = 0;
    for (const stats of telemetry.requests.values()) for (const { count } of stats.outcomes()) sum += count;
    return sum;
  };

  test('share the connections, and one exposition has their sums', async () => {
    assert.equal(crew.ready, true);
    await ask(100);
    const figures = await crew.figures();
    assert.equal(requests(figures), 100);
    const each = figures.workers();
    assert.equal(each.length, 2);
    // The kernel's hash is a coin for each connection: 19 or fewer of 100 come to one with 1.4e-10.
    for (const { requests: share } of each) assert.ok(share >= 20 && share <= 80, `a worker had ${share} of 100`);
    const metrics = createMetrics(crew);
    const text = await metrics.scrape();
    metrics.close();
    assert.match(text, /^tutti_requests_total\{direction="ingress",service="app.default",code="2xx",reason=""\} 100$/m);
    assert.match(text, /^tutti_request_duration_seconds_count\{direction="ingress",service="app.default"\} 100$/m);
    assert.match(text, /^tutti_connections_opened_total\{direction="ingress"\} 100$/m);
    // A cluster has its endpoint once, whoever looks at it.
    assert.match(text, /^tutti_upstream_endpoints\{cluster="app",state="healthy"\} 1$/m);
    assert.deepEqual(
      figures.load().map(({ total, success, active }) => ({ total, success, active })),
      [{ total: 100, success: 100, active: 0 }],
    );
  });

  test('an address that another program has is refused, though the workers could share it', async () => {
    const other = net.createServer().listen({ port: 0, host: '127.0.0.1', reusePort: true });
    await new Promise((resolve) => other.once('listening', resolve));
    const { port: taken } = other.address() as net.AddressInfo;
    const [own] = setUp().listeners.values();
    const both = {
      ...setUp(),
      listeners: new Map([...setUp().listeners, ['more', { ...own, name: 'more', port: taken }]]),
    };
    const [problem, none] = await crew.apply(both as ReturnType<typeof setUp>);
    assert.equal(none, undefined);
    assert.match(problem?.message ?? '', /EADDRINUSE/);
    await ask(2);
    await new Promise((resolve) => other.close(resolve));
  });

  test('one that fails comes back with what all have, and nothing that was counted is lost', async () => {
    await crew.apply(setUp(['in', 'second']));
    const before = await crew.figures();
    await crew.kill(0);
    // That none is ready lasts but a moment, which a look may miss.
    await waitFor('the worker is back', async () => crew.ready && (await crew.figures()).workers()[0]?.restarts === 1);
    const now = await crew.figures();
    assert.equal(requests(now), requests(before));
    assert.equal(now.load()[0]?.total, before.load()[0]?.total);
    assert.deepEqual(
      now.listeners().map(({ name }) => name),
      ['in', 'second'],
    );
    const [first] = now.workers();
    await ask(60);
    const [again] = (await crew.figures()).workers();
    assert.ok((again?.requests ?? 0) > (first?.requests ?? 0), 'the new thread serves');
  });

  test('a cluster’s limit is the process’s, and a worker that fails leaves no places taken', async () => {
    const limited = {
      ...setUp(),
      clusters: new Map([['app', cluster('app', [app.port], { ...PATIENT, maxRequests: 3 })]]),
    };
    assert.deepEqual(await crew.apply(limited), []);
    const to = await port();
    const sockets = new Set<net.Socket>();
    const held = (): number => app.received.reduce((sum, text) => sum + text.split('\r\n\r\nwait').length - 1, 0);
    /** One after the other, so that no two look at the same moment. The app does not answer. */
    const accepted = async (times: number): Promise<number> => {
      let count = 0;
      for (let at = 0; at < times; at++) {
        const socket = net.connect(to, '127.0.0.1');
        sockets.add(socket);
        let answer = '';
        socket.on('data', (data: Buffer) => void (answer += data.toString()));
        socket.on('error', () => undefined);
        socket.on('close', () => sockets.delete(socket));
        const before = held();
        socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nwait');
        await eventually(() => held() > before || answer !== '', 'the app or an answer');
        if (answer === '') count++;
        else assert.match(answer, /^HTTP\/1\.1 503 /);
      }
      return count;
    };
    try {
      assert.equal(await accepted(30), 3);
      for (const worker of [0, 1]) {
        const restarts = async () => (await crew.figures()).workers()[worker]?.restarts ?? 0;
        const before = await restarts();
        await crew.kill(worker);
        await waitFor('the worker is back', async () => crew.ready && (await restarts()) > before);
      }
      await eventually(() => sockets.size === 0, 'the connections of both are lost');
      assert.equal(await accepted(10), 3);
    } finally {
      for (const socket of sockets) socket.resetAndDestroy();
      await waitFor('no request is under way', async () => (await crew.figures()).load()[0]?.active === 0);
      await crew.apply(setUp());
    }
  });

  test('an endpoint that one worker ejects gets nothing from the other either, and is counted once', async () => {
    const [one, other] = await onBothWorkers();
    await using faulty = await rawUpstream(answering('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'));
    const outliers = outlierDetection({ maxEjectionPercent: 50 });
    const both = cluster('app', [app.port, faulty.port], { ...PATIENT, outliers });
    await crew.apply({ ...setUp(), clusters: new Map([['app', both]]) });
    const seen = (): number => faulty.received.join('').split('GET').length - 1;
    const state = async () => (await crew.figures()).clusters().find(({ name }) => name === 'app');
    await waitFor('the ejection', async () => {
      await one.ask();
      return (await state())?.endpoints[1]?.ejected === true;
    });
    // Who has answered this has heard of it before.
    await state();
    const before = seen();
    for (let turn = 0; turn < 20; turn++) await other.ask();
    assert.equal(seen(), before);
    const now = await state();
    assert.deepEqual(
      now?.endpoints.map(({ ejected, ejections }) => [ejected, ejections]),
      [
        [false, 0],
        [true, 1],
      ],
    );
    const enforced = Object.values(now?.outliers?.enforced ?? {});
    assert.equal(
      enforced.reduce((sum, count) => sum + count, 0),
      1,
    );
    one.socket.destroy();
    other.socket.destroy();
    await crew.apply(setUp());
  });

  test('an identity that is no pair is refused before a worker has it', () => {
    assert.throws(() => crew.setIdentity({ ...identity, privateKeyPem: ca.identity('web').privateKeyPem }));
    assert.equal(crew.identity, identity);
  });

  test('a drain is over when no worker has a request', async () => {
    let drained = false;
    const open = net.connect(await port(), '127.0.0.1');
    open.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n');
    let answer = '';
    open.on('data', (data: Buffer) => void (answer += data.toString()));
    const ended = new Promise((resolve) => open.on('close', resolve));
    await waitFor('the request', async () => (await crew.figures()).load()[0]?.active === 1);
    const draining = crew.drain(60_000).then(() => void (drained = true));
    await ask(20);
    assert.equal(drained, false);
    assert.equal(crew.draining, true);
    open.write('done');
    await draining;
    await ended;
    assert.match(answer, /^HTTP\/1\.1 200 [^]*connection: close/i);
  });
});

test('spans of all workers reach the collector from one resource, at the latest when the crew ends', async () => {
  const batches: { readonly connection: number | undefined; readonly sent: Sent }[] = [];
  const collector = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => void (text += chunk.toString()));
    request.on('end', () => {
      batches.push({ connection: request.socket.remotePort, sent: JSON.parse(text) as Sent });
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  await using app = await rawUpstream(answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  const shared = { clock: systemClock(), random: systemRandom(), log: silentLog() };
  const tracing = {
    endpoint: `http://127.0.0.1:${(collector.address() as net.AddressInfo).port}/v1/traces`,
    samplingRatio: 1,
    serviceName: 'web',
    namespace: 'shop',
    name: 'web-1',
    mode: 'sidecar',
    headers: undefined,
    version: '1',
  } as const;
  const crew = new Crew({ ...shared, workers: 2, logLevel: 'silent', component: 'test', tracing });
  try {
    const listeners = [listener('in', 't', { direction: 'inbound' }, { accessLog: false })];
    await crew.apply(tables(listeners, [routeTable('t', [route(forward('app'))])], [cluster('app', [app.port])]));
    const to = (await crew.figures()).listeners()[0]?.port ?? 0;
    for (const answer of await Promise.all(Array.from({ length: 40 }, () => rawExchange(to, GET))))
      assert.match(answer, /ok$/);
    for (const { worker, requests } of (await crew.figures()).workers()) assert.ok(requests > 0, `worker ${worker}`);
  } finally {
    await crew.close();
    collector.close();
    collector.closeAllConnections();
  }
  const resources = batches.flatMap(({ sent }) => sent.resourceSpans);
  const spans = resources.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  // A server's and a client's for each request.
  assert.equal(spans.length, 80);
  assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, 80);
  assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 40);
  // Each worker has a connection of its own to the collector.
  assert.ok(new Set(batches.map(({ connection }) => connection)).size >= 2);
  assert.equal(new Set(resources.map(({ resource }) => JSON.stringify(resource))).size, 1);
  assert.match(
    JSON.stringify(resources[0]?.resource),
    /"service.instance.id","value":\{"stringValue":"shop.web-1.proxy"/,
  );
});

/** Of an ExportTraceServiceRequest what is looked at. */
interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: unknown;
    readonly scopeSpans: readonly {
      readonly spans: readonly { readonly traceId: string; readonly spanId: string }[];
    }[];
  }[];
}

async function waitFor(what: string, holds: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`waited 30 s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
