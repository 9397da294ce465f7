import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Frame, frame, framesOf, requestBlock, setting, u32 } from '../test-support/http2-frames.ts';
import {
  ACK,
  COMPRESSION_ERROR,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  GOAWAY,
  HAS_PRIORITY,
  HEADERS,
  NO_ERROR,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  REFUSED_STREAM,
  RST_STREAM,
  SETTINGS,
  STREAM_CLOSED,
  WINDOW_UPDATE,
} from './frame.ts';
import { encodeField } from './hpack/encoder.ts';
import { CONNECTION_WINDOW_BYTES } from './limits.ts';
import { Session, type SessionEvents } from './session.ts';
import type { Stream, StreamUser } from './stream.ts';

/** What a session writes, as bytes. */
class Wire {
  isBlocked = false;
  /** Before bytes are taken, what was held back is asked for. */
  settle: () => void = () => undefined;
  #pieces: Buffer[] = [];

  text(piece: string): void {
    this.#pieces.push(Buffer.from(piece, 'latin1'));
  }

  bytes(from: Buffer, start: number, end: number): void {
    this.#pieces.push(Buffer.from(from.subarray(start, end)));
  }

  take(): Buffer {
    this.settle();
    const all = Buffer.concat(this.#pieces);
    this.#pieces = [];
    return all;
  }
}

interface Heard {
  readonly stream: Stream;
  readonly fields: [string, string][];
  trailers: [string, string][] | undefined;
  body: string;
  ended: boolean;
  reset: number | undefined;
  drained: number;
}

/** A session with users that write down what they hear. */
function side(role: 'server' | 'client', onHead: (heard: Heard, session: Session) => void = () => undefined) {
  const wire = new Wire();
  const streams: Heard[] = [];
  const failures: number[] = [];
  let session: Session;
  const listen = (heard: Heard): StreamUser => ({
    fieldSink: (block) => {
      const into = block === 'head' ? heard.fields : (heard.trailers ??= []);
      return { field: ({ name, value }) => into.push([name, value]) };
    },
    head: () => {
      heard.stream.headSeen = true;
      const length = heard.fields.find(([name]) => name === 'content-length')?.[1];
      if (length !== undefined) heard.stream.expectedBytes = Number(length);
      onHead(heard, session);
      return heard.fields.some(([name]) => name === 'malformed') ? 'malformed' : 'sound';
    },
    data: (from, start, end) => {
      heard.body += from.toString('latin1', start, end);
    },
    ended: () => {
      heard.ended = true;
    },
    reset: (code) => {
      heard.reset = code;
    },
    drained: () => {
      heard.drained++;
    },
  });
  const hear = (stream: Stream): Heard => {
    const heard = { stream, fields: [], trailers: undefined, body: '', ended: false, reset: undefined, drained: 0 };
    streams.push(heard);
    return heard;
  };
  const events: SessionEvents = {
    opened: (stream) => listen(hear(stream)),
    greeted: () => undefined,
    closed: () => undefined,
    goingAway: () => undefined,
    failed: (code) => failures.push(code),
    wrote: () => undefined,
  };
  session = new Session(role, wire, events);
  wire.settle = () => session.settle();
  session.start();
  const open = (): Heard => {
    let user: StreamUser | undefined;
    const proxy: StreamUser = {
      fieldSink: (block) => user?.fieldSink(block) ?? { field: () => undefined },
      head: (last) => user?.head(last) ?? 'sound',
      data: (from, start, end) => user?.data(from, start, end),
      ended: () => user?.ended(),
      reset: (code, by) => user?.reset(code, by),
      drained: () => user?.drained(),
    };
    const heard = hear(session.open(proxy));
    user = listen(heard);
    return heard;
  };
  return { session, wire, streams, failures, open };
}

const HELLO = Buffer.concat([Buffer.from(PREFACE, 'latin1'), frame(SETTINGS, 0, 0)]);
const WHOLE = END_HEADERS | END_STREAM;

/** A server's session that has been said hello to, fed with frames; what it answered, hello and acknowledgement left out. */
function served(bytes: readonly Buffer[], onHead?: (heard: Heard, session: Session) => void, nowMs = 0) {
  const server = side('server', onHead);
  server.session.feed(HELLO, 0, HELLO.length, nowMs);
  server.wire.take();
  const all = Buffer.concat(bytes);
  server.session.feed(all, 0, all.length, nowMs);
  return { ...server, answers: framesOf(server.wire.take()) };
}

const goAwayCode = (answers: readonly Frame[]): number | undefined =>
  answers.find(({ type }) => type === GOAWAY)?.payload.readUInt32BE(4);
const resetCode = (answers: readonly Frame[], streamId: number): number | undefined =>
  answers.find((answer) => answer.type === RST_STREAM && answer.streamId === streamId)?.payload.readUInt32BE(0);

const request = (streamId: number, flags = WHOLE): Buffer => frame(HEADERS, flags, streamId, requestBlock());
const open1 = request(1, END_HEADERS);

const CONNECTION_ERRORS: readonly (readonly [why: string, code: number, frames: readonly Buffer[]])[] = [
  ['DATA on stream 0', PROTOCOL_ERROR, [frame(DATA, 0, 0, 'x')]],
  ['DATA on an idle stream', PROTOCOL_ERROR, [frame(DATA, 0, 1, 'x')]],
  ['DATA with more padding than payload', PROTOCOL_ERROR, [open1, frame(DATA, PADDED, 1, '\x05abc')]],
  ['HEADERS on stream 0', PROTOCOL_ERROR, [request(0)]],
  ['HEADERS with more padding than payload', PROTOCOL_ERROR, [frame(HEADERS, WHOLE | PADDED, 1, '\xffabc')]],
  ['HEADERS too short for its priority', FRAME_SIZE_ERROR, [frame(HEADERS, WHOLE | HAS_PRIORITY, 1, 'abc')]],
  ['a stream with an even number', PROTOCOL_ERROR, [request(2)]],
  ['a stream below the last one', STREAM_CLOSED, [request(5), request(3)]],
  ['a block that cannot be decoded', COMPRESSION_ERROR, [frame(HEADERS, WHOLE, 1, '\xff\xff\xff\xff\xff')]],
  ['PRIORITY on stream 0', PROTOCOL_ERROR, [frame(PRIORITY, 0, 0, 'abcde')]],
  ['RST_STREAM on an idle stream', PROTOCOL_ERROR, [frame(RST_STREAM, 0, 1, u32(0))]],
  ['RST_STREAM of a wrong size', FRAME_SIZE_ERROR, [open1, frame(RST_STREAM, 0, 1, 'abc')]],
  ['SETTINGS on a stream', PROTOCOL_ERROR, [frame(SETTINGS, 0, 1)]],
  ['SETTINGS of a wrong size', FRAME_SIZE_ERROR, [frame(SETTINGS, 0, 0, 'abc')]],
  ['an acknowledgement that says something', FRAME_SIZE_ERROR, [frame(SETTINGS, ACK, 0, setting(1, 0))]],
  ['ENABLE_PUSH of 2', PROTOCOL_ERROR, [frame(SETTINGS, 0, 0, setting(2, 2))]],
  ['an initial window that is too large', FLOW_CONTROL_ERROR, [frame(SETTINGS, 0, 0, setting(4, 2 ** 31))]],
  ['a frame size that is too small', PROTOCOL_ERROR, [frame(SETTINGS, 0, 0, setting(5, 16_383))]],
  ['a frame size that is too large', PROTOCOL_ERROR, [frame(SETTINGS, 0, 0, setting(5, 2 ** 24))]],
  [
    'an initial window that makes a stream overflow',
    FLOW_CONTROL_ERROR,
    [open1, frame(WINDOW_UPDATE, 0, 1, u32(2 ** 30)), frame(SETTINGS, 0, 0, setting(4, 2 ** 31 - 1))],
  ],
  ['PUSH_PROMISE from a client', PROTOCOL_ERROR, [frame(PUSH_PROMISE, END_HEADERS, 1, u32(2))]],
  ['PING on a stream', PROTOCOL_ERROR, [frame(PING, 0, 1, '12345678')]],
  ['PING of a wrong size', FRAME_SIZE_ERROR, [frame(PING, 0, 0, '123')]],
  ['GOAWAY on a stream', PROTOCOL_ERROR, [frame(GOAWAY, 0, 1, u32(0) + u32(0))]],
  ['GOAWAY of a wrong size', FRAME_SIZE_ERROR, [frame(GOAWAY, 0, 0, u32(0))]],
  ['WINDOW_UPDATE of a wrong size', FRAME_SIZE_ERROR, [frame(WINDOW_UPDATE, 0, 0, 'abc')]],
  ['WINDOW_UPDATE of 0', PROTOCOL_ERROR, [frame(WINDOW_UPDATE, 0, 0, u32(0))]],
  ['WINDOW_UPDATE on an idle stream', PROTOCOL_ERROR, [frame(WINDOW_UPDATE, 0, 1, u32(1))]],
  ['a connection window that overflows', FLOW_CONTROL_ERROR, [frame(WINDOW_UPDATE, 0, 0, u32(2 ** 31 - 1))]],
  ['CONTINUATION from nowhere', PROTOCOL_ERROR, [open1, frame(CONTINUATION, END_HEADERS, 1)]],
  ['another frame within a header block', PROTOCOL_ERROR, [request(1, END_STREAM), frame(PING, 0, 0, '12345678')]],
  ['an unknown frame within a header block', PROTOCOL_ERROR, [request(1, END_STREAM), frame(0x16, 0, 0, 'x')]],
  ['CONTINUATION of another stream', PROTOCOL_ERROR, [request(1, END_STREAM), frame(CONTINUATION, END_HEADERS, 3)]],
  ['a frame that is too large', FRAME_SIZE_ERROR, [open1, frame(DATA, 0, 1, Buffer.alloc(16_385))]],
];

for (const [why, code, frames] of CONNECTION_ERRORS) {
  test(`${why} ends the connection with code ${code}, and nothing after it is read`, () => {
    const { answers, failures, streams } = served([...frames, request(99)]);
    assert.equal(goAwayCode(answers), code);
    assert.deepEqual(failures, [code]);
    assert.ok(!streams.some(({ stream }) => stream.id === 99));
  });
}

const STREAM_ERRORS: readonly (readonly [why: string, code: number, frames: readonly Buffer[]])[] = [
  ['DATA behind the end', STREAM_CLOSED, [request(1), frame(DATA, 0, 1, 'x')]],
  ['HEADERS behind the end', STREAM_CLOSED, [request(1), request(1)]],
  [
    'trailers that do not end the stream',
    PROTOCOL_ERROR,
    [open1, frame(HEADERS, END_HEADERS, 1, encodeField('a', 'b'))],
  ],
  ['WINDOW_UPDATE of 0', PROTOCOL_ERROR, [open1, frame(WINDOW_UPDATE, 0, 1, u32(0))]],
  ['a window that overflows', FLOW_CONTROL_ERROR, [open1, frame(WINDOW_UPDATE, 0, 1, u32(2 ** 31 - 1))]],
  [
    'a stream that depends on itself',
    PROTOCOL_ERROR,
    [frame(HEADERS, WHOLE | HAS_PRIORITY, 1, `${u32(1)}\0${requestBlock()}`)],
  ],
  ['a priority that depends on itself', PROTOCOL_ERROR, [open1, frame(PRIORITY, 0, 1, `${u32(1)}\0`)]],
  ['a priority of a wrong size', FRAME_SIZE_ERROR, [open1, frame(PRIORITY, 0, 1, 'abc')]],
  [
    'less data than content-length says',
    PROTOCOL_ERROR,
    [frame(HEADERS, END_HEADERS, 1, requestBlock([['content-length', '3']], 'POST')), frame(DATA, END_STREAM, 1, 'ab')],
  ],
  [
    'more data than content-length says',
    PROTOCOL_ERROR,
    [frame(HEADERS, END_HEADERS, 1, requestBlock([['content-length', '3']], 'POST')), frame(DATA, 0, 1, 'abcd')],
  ],
  [
    'a head that its reader calls malformed',
    PROTOCOL_ERROR,
    [frame(HEADERS, WHOLE, 1, requestBlock([['malformed', '']]))],
  ],
];

for (const [why, code, frames] of STREAM_ERRORS) {
  test(`${why} ends the stream with code ${code}, and the connection goes on`, () => {
    const { answers, failures, streams } = served([...frames, request(99)]);
    assert.equal(resetCode(answers, 1), code);
    assert.deepEqual(failures, []);
    assert.equal(streams.at(-1)?.stream.id, 99);
  });
}

test('more data than the stream or the connection has window for is refused', () => {
  const full = Buffer.alloc(16_384);
  const paused = (heard: Heard, session: Session): void => session.pause(heard.stream);
  const one = served([open1, ...Array.from({ length: 4 }, () => frame(DATA, 0, 1, full))], paused);
  assert.equal(resetCode(one.answers, 1), FLOW_CONTROL_ERROR);
  const ids = Array.from({ length: 20 }, (_, at) => at * 2 + 1);
  const many = served(
    ids.flatMap((id) => [
      request(id, END_HEADERS),
      ...Array.from({ length: 3 }, () => frame(DATA, 0, id, full)),
      frame(DATA, 0, id, Buffer.alloc(16_000)),
    ]),
    paused,
  );
  assert.equal(goAwayCode(many.answers), FLOW_CONTROL_ERROR);
});

test('a window is given back when its data was taken, and held back while the user is paused', () => {
  const data = Array.from({ length: 3 }, () => frame(DATA, 0, 1, Buffer.alloc(16_384)));
  const windows = (answers: readonly Frame[]): number[] =>
    answers.filter(({ type }) => type === WINDOW_UPDATE).map(({ payload }) => payload.readUInt32BE(0));
  assert.deepEqual(windows(served([open1, ...data]).answers), [32_768]);
  const held = served([open1, ...data], (heard, session) => session.pause(heard.stream));
  assert.deepEqual(windows(held.answers), []);
  const [first] = held.streams;
  assert.ok(first !== undefined);
  held.session.resume(first.stream);
  assert.deepEqual(windows(framesOf(held.wire.take())), [49_152]);
});

test('streams that each hold less than they give back at once do not use up the connection’s window', () => {
  const ids = Array.from({ length: 64 }, (_, at) => 2 * at + 1);
  const opened = ids.map((id) => request(id, END_HEADERS));
  const { wire, session } = served(opened);
  let room = CONNECTION_WINDOW_BYTES;
  const heed = (): void => {
    for (const { type, streamId, payload } of framesOf(wire.take()))
      if (type === WINDOW_UPDATE && streamId === 0) room += payload.readUInt32BE(0);
  };
  for (let turn = 0; turn < 30; turn++) {
    for (const id of ids) {
      assert.ok(room >= 1000, `stream ${id} may send in turn ${turn}`);
      room -= 1000;
      const data = frame(DATA, 0, id, 'x'.repeat(1000));
      session.feed(data, 0, data.length, 0);
      heed();
    }
  }
});

test('what the windows have no room for waits, in order, and ends as it should', () => {
  const body = Buffer.from('abcdefghij'.repeat(10_000));
  const { session, wire, streams, answers } = served(
    [frame(SETTINGS, 0, 0, setting(4, 1000)), request(1)],
    (heard, its) => {
      its.sendHead(heard.stream, encodeField('x', 'y'), false);
      its.sendData(heard.stream, body, 0, body.length);
      its.sendEnd(heard.stream, encodeField('grpc-status', '0'));
    },
  );
  const received: Frame[] = [...answers];
  const sent = (): Buffer => Buffer.concat(received.filter(({ type }) => type === DATA).map(({ payload }) => payload));
  assert.equal(sent().length, 1000);
  for (let at = 0; at < 200 && streams[0]?.stream.closed === false; at++) {
    const more = Buffer.concat([frame(WINDOW_UPDATE, 0, 1, u32(777)), frame(WINDOW_UPDATE, 0, 0, u32(777))]);
    session.feed(more, 0, more.length, 0);
    received.push(...framesOf(wire.take()));
  }
  assert.ok(sent().equals(body));
  const last = received.at(-1);
  assert.deepEqual([last?.type, last?.flags], [HEADERS, WHOLE]);
});

test('a larger initial window is acknowledged before what it lets through is sent', () => {
  const { answers } = served(
    [frame(SETTINGS, 0, 0, setting(4, 0)), request(1), frame(SETTINGS, 0, 0, setting(4, 1))],
    (heard, session) => {
      session.sendHead(heard.stream, encodeField('x', 'y'), false);
      session.sendData(heard.stream, Buffer.from('hello'), 0, 5);
    },
  );
  assert.deepEqual(
    answers.map(({ type, payload }) => [type, payload.length]),
    [
      [SETTINGS, 0],
      [HEADERS, 6],
      [SETTINGS, 0],
      [DATA, 1],
    ],
  );
});

test('the end of a stream joins its last data, without a frame more', () => {
  const { answers } = served([request(1)], (heard, session) => {
    session.sendHead(heard.stream, encodeField('x', 'y'), false);
    session.sendData(heard.stream, Buffer.from('hello'), 0, 5);
    session.sendEnd(heard.stream, '');
  });
  assert.deepEqual(
    answers.map(({ type, flags }) => [type, flags & END_STREAM]),
    [
      [HEADERS, 0],
      [DATA, END_STREAM],
    ],
  );
});

test('an answer before the request has ended asks for no more of it, unless the rest was in the same read', () => {
  const answer = (heard: Heard, session: Session): void => session.sendHead(heard.stream, encodeField('x', 'y'), true);
  assert.equal(resetCode(served([open1], answer).answers, 1), NO_ERROR);
  assert.equal(resetCode(served([open1, frame(DATA, END_STREAM, 1, 'all')], answer).answers, 1), undefined);
});

test('what was on its way to a stream that was reset is ignored, its block decoded, its window given back', () => {
  const { answers, failures, streams } = served(
    [
      open1,
      frame(HEADERS, WHOLE, 1, `\x40\x01a\x01b`),
      frame(DATA, END_STREAM, 1, 'late'),
      frame(HEADERS, WHOLE, 3, `${requestBlock()}\xbe`),
    ],
    (heard, session) => {
      if (heard.stream.id === 1) session.reset(heard.stream, NO_ERROR, 'own');
    },
  );
  assert.deepEqual(failures, []);
  assert.equal(goAwayCode(answers), undefined);
  assert.deepEqual(streams[1]?.fields.at(-1), ['a', 'b']);
});

test('more streams than we take are refused, so that they may be tried elsewhere', () => {
  const ids = Array.from({ length: 102 }, (_, at) => at * 2 + 1);
  const { answers, streams } = served(ids.map((id) => request(id)));
  assert.equal(streams.length, 100);
  assert.equal(resetCode(answers, 201), REFUSED_STREAM);
  assert.equal(resetCode(answers, 203), REFUSED_STREAM);
});

const FLOODS: readonly (readonly [name: string, frames: () => readonly Buffer[]])[] = [
  ['PING', () => Array.from({ length: 1100 }, () => frame(PING, 0, 0, '12345678'))],
  ['SETTINGS', () => Array.from({ length: 1100 }, () => frame(SETTINGS, 0, 0))],
  ['SETTINGS acknowledgements', () => Array.from({ length: 1100 }, () => frame(SETTINGS, ACK, 0))],
  ['PRIORITY', () => Array.from({ length: 1100 }, () => frame(PRIORITY, 0, 1, `${u32(3)}\0`))],
  ['empty DATA', () => [open1, ...Array.from({ length: 1100 }, () => frame(DATA, 0, 1))]],
  ['WINDOW_UPDATE', () => Array.from({ length: 1100 }, () => frame(WINDOW_UPDATE, 0, 0, u32(1)))],
  ['unknown frames', () => Array.from({ length: 1100 }, () => frame(0x99, 0, 0, 'x'))],
  [
    'rapid reset (CVE-2023-44487)',
    () =>
      Array.from({ length: 1100 }, (_, at) => [request(at * 2 + 1), frame(RST_STREAM, 0, at * 2 + 1, u32(8))]).flat(),
  ],
  [
    'MadeYouReset (CVE-2025-8671)',
    () =>
      Array.from({ length: 1100 }, (_, at) => [
        request(at * 2 + 1, END_HEADERS),
        frame(WINDOW_UPDATE, 0, at * 2 + 1, u32(0)),
      ]).flat(),
  ],
  ['refused streams', () => Array.from({ length: 1200 }, (_, at) => request(at * 2 + 1))],
  [
    'CONTINUATION (CVE-2024-27983)',
    () => [request(1, END_STREAM), ...Array.from({ length: 40 }, () => frame(CONTINUATION, 0, 1))],
  ],
  [
    'a header block without end',
    () => [request(1, END_STREAM), ...Array.from({ length: 5 }, () => frame(CONTINUATION, 0, 1, Buffer.alloc(16_384)))],
  ],
];

for (const [name, frames] of FLOODS) {
  test(`a flood of ${name} ends the connection with ENHANCE_YOUR_CALM`, () => {
    const { answers, failures } = served(frames());
    assert.equal(goAwayCode(answers), ENHANCE_YOUR_CALM);
    assert.deepEqual(failures, [ENHANCE_YOUR_CALM]);
  });
}

test('the same frames, as many as real work brings with it, are no flood', () => {
  const { answers, failures } = served(
    Array.from({ length: 2000 }, (_, at) => [
      request(at * 2 + 1),
      frame(WINDOW_UPDATE, 0, 0, u32(100)),
      frame(PING, 0, 0, '12345678'),
      frame(PRIORITY, 0, at * 2 + 1, `${u32(0)}\0`),
    ]).flat(),
    (heard, session) => session.sendHead(heard.stream, encodeField('x', 'y'), true),
  );
  assert.deepEqual(failures, []);
  assert.equal(answers.filter(({ type }) => type === HEADERS).length, 2000);
});

test('answers that a peer asks for and does not read are counted', () => {
  const server = side('server');
  server.session.feed(HELLO, 0, HELLO.length, 0);
  server.wire.isBlocked = true;
  for (let second = 1; second < 30; second++) {
    const pings = Buffer.concat(Array.from({ length: 99 }, () => frame(PING, 0, 0, '12345678')));
    server.session.feed(pings, 0, pings.length, second * 1000);
  }
  assert.deepEqual(server.failures, [ENHANCE_YOUR_CALM]);
});

/** Feeds bytes cut at the places given. */
function feedCut(session: Session, bytes: Buffer, cuts: readonly number[]): void {
  let start = 0;
  for (const cut of [...cuts, bytes.length]) {
    const end = Math.min(bytes.length, Math.max(start, cut));
    // A buffer that is overwritten afterwards, as the engine's shared one is.
    const piece = Buffer.from(bytes.subarray(start, end));
    session.feed(piece, 0, piece.length, 0);
    piece.fill(0xee);
    start = end;
  }
}

test('a client and a server understand each other, however the bytes are cut', () => {
  const message = fc.record({
    body: fc.string({ maxLength: 60_000, minLength: 0, unit: fc.constantFrom('a', 'b', 'ÿ') }),
    trailers: fc.boolean(),
    big: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat({ max: 200_000 }), { maxLength: 20 }),
      (messages, cuts) => {
        const sorted = [...cuts].sort((a, b) => a - b);
        const server = side('server', (heard, session) => {
          session.sendHead(heard.stream, encodeField(':status', '200'), false);
        });
        const client = side('client');
        const opened = messages.map(({ body, trailers, big }) => {
          const heard = client.open();
          const bytes = Buffer.from(body, 'latin1');
          client.session.sendHead(heard.stream, requestBlock(big ? [['big', 'x'.repeat(40_000)]] : [], 'POST'), false);
          client.session.sendData(heard.stream, bytes, 0, bytes.length);
          client.session.sendEnd(heard.stream, trailers ? encodeField('checksum', String(bytes.length)) : '');
          return heard;
        });
        // Each hands the other what it has written until nobody has anything more to say.
        let answered = false;
        for (let round = 0; round < 200; round++) {
          const toServer = client.wire.take();
          feedCut(server.session, toServer, round === 0 ? sorted : []);
          if (!answered && server.streams.length === messages.length && server.streams.every(({ ended }) => ended)) {
            answered = true;
            for (const { stream, body } of server.streams) {
              const bytes = Buffer.from(body, 'latin1');
              server.session.sendData(stream, bytes, 0, bytes.length);
              server.session.sendEnd(stream, encodeField('grpc-status', '0'));
            }
          }
          const toClient = server.wire.take();
          feedCut(client.session, toClient, round === 0 ? sorted : []);
          if (toServer.length === 0 && toClient.length === 0) break;
        }
        assert.deepEqual([...server.failures, ...client.failures], []);
        assert.deepEqual(
          server.streams.map(({ body, trailers }) => [body, trailers?.[0]?.[1]]),
          messages.map(({ body, trailers }) => [body, trailers ? String(body.length) : undefined]),
        );
        for (const [at, heard] of opened.entries()) {
          assert.equal(heard.body, messages[at]?.body);
          assert.deepEqual(heard.trailers, [['grpc-status', '0']]);
          assert.ok(heard.ended && heard.stream.closed);
        }
        assert.equal(server.session.streamCount + client.session.streamCount, 0);
      },
    ),
    { numRuns: 60 },
  );
});

test('random frames never throw, and a session that failed says nothing more', () => {
  const anyFrame = fc
    .tuple(
      fc.nat({ max: 10 }),
      fc.nat({ max: 255 }),
      fc.constantFrom(0, 1, 2, 3, 5, 7),
      fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(requestBlock(), u32(1), u32(0), '12345678')),
    )
    .map(([type, flags, streamId, payload]) =>
      frame(type, flags, streamId, typeof payload === 'string' ? payload : Buffer.from(payload)),
    );
  for (const role of ['server', 'client'] as const) {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 30 }), fc.uint8Array({ maxLength: 30 }), (frames, tail) => {
        const one = side(role, (heard, session) => session.sendHead(heard.stream, encodeField('x', 'y'), true));
        if (role === 'client') one.open();
        const hello = role === 'server' ? HELLO : frame(SETTINGS, 0, 0);
        const bytes = Buffer.concat([hello, ...frames, Buffer.from(tail)]);
        one.session.feed(bytes, 0, bytes.length, 0);
        assert.ok(one.failures.length <= 1);
        if (!one.session.hasFailed) return;
        one.wire.take();
        one.session.feed(bytes, 0, bytes.length, 0);
        assert.equal(one.wire.take().length, 0);
      }),
      { numRuns: 3000 },
    );
  }
});
