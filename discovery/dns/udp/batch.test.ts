import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { MAX_UDP_BYTES } from '../responder.ts';
import { openBatch } from './batch.ts';
import type { Slot } from './memory.ts';
import { readSocketAddress } from './socket-address.ts';

/** Of a socket that node itself does not read from. */
function descriptorOf(socket: Socket): number {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  assert.ok(symbol);
  const { handle } = Reflect.get(socket, symbol) as { handle: { readonly fd: number; recvStop(): void } };
  handle.recvStop();
  return handle.fd;
}

const batch = openBatch();

test('one batch serves sockets of both families, and gives nothing when nothing waits', {
  skip: batch === undefined,
}, async (context) => {
  assert.ok(batch);
  for (const [type, address] of [
    ['udp4', '127.0.0.1'],
    ['udp6', '::1'],
    ['udp4', '127.0.0.1'],
  ] as const) {
    const [server, client] = [createSocket(type).bind(0, address), createSocket(type).bind(0, address)];
    context.after(() => {
      server.close();
      client.close();
    });
    await Promise.all([once(server, 'listening'), once(client, 'listening')]);
    const descriptor = descriptorOf(server);
    assert.equal(batch.receive(descriptor), 0);
    const send = (text: string): Promise<unknown> =>
      new Promise((resolve) => client.send(text, server.address().port, address, resolve));
    await send('one');
    await send('three');
    assert.equal(batch.receive(descriptor), 2);
    const [first, second]: readonly (Slot | undefined)[] = batch.slots;
    assert.ok(first && second);
    assert.deepEqual([batch.queryBytes(first), batch.queryBytes(second)], [3, 5]);
    assert.deepEqual(readSocketAddress(second.asker), { address, port: client.address().port });
    for (const slot of [first, second]) {
      slot.query.copy(slot.answer, 0, 0, batch.queryBytes(slot));
      batch.setAnswerBytes(slot, batch.queryBytes(slot));
    }
    const [answers, failed]: [string[], unknown[]] = [[], []];
    client.on('message', (answer) => answers.push(answer.toString()));
    // There is no third.
    batch.send(descriptor, 0, 3, (slot) => failed.push(slot));
    while (answers.length < 2) await once(client, 'message');
    assert.deepEqual([answers, failed], [['one', 'three'], []]);
  }
});

test('an answer has no room for more than goes over UDP', { skip: batch === undefined }, () => {
  const [slot] = batch?.slots ?? [];
  assert.ok(batch && slot);
  assert.equal(slot.answer.length, MAX_UDP_BYTES);
  assert.throws(() => batch.setAnswerBytes(slot, MAX_UDP_BYTES + 1), RangeError);
});

test('what is no socket gives nothing', { skip: batch === undefined }, () => {
  assert.ok(batch);
  assert.equal(batch.receive(-1), 0);
});
