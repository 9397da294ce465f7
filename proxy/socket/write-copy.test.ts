import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { writeCopy } from './write-copy.ts';

test('what was lent may be overwritten at once, also while the reader is slow', { timeout: 60_000 }, async () => {
  const server = net.createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const writer = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  const [reader] = (await once(server, 'connection')) as [net.Socket];
  const lent = Buffer.alloc(96 * 1024);
  const lengths = [64 * 1024, 1, 2048, 2049, 30_000, 96 * 1024];
  let wanted = 0;
  let blocked = 0;
  // More than the kernel takes, so that copies wait; then their memory is used again.
  for (let turn = 0; turn < 200; turn++) {
    const length = lengths[turn % lengths.length] ?? 0;
    lent.fill(turn % 251, 0, length);
    if (!writeCopy(writer, lent, 0, length)) blocked++;
    lent.fill(255);
    wanted += length;
  }
  writer.end();
  assert.ok(blocked > 0, 'the reader was not slow');
  const got = Buffer.concat(await reader.resume().toArray());
  assert.equal(got.length, wanted);
  let at = 0;
  for (let turn = 0; turn < 200; turn++) {
    const length = lengths[turn % lengths.length] ?? 0;
    const piece = got.subarray(at, at + length);
    assert.ok(
      piece.every((byte) => byte === turn % 251),
      `piece ${turn}`,
    );
    at += length;
  }
  server.close();
});

test('memory that was passed on is used again, and what is in it then does not reach who had it before', async () => {
  const server = net.createServer((socket) => socket.pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  const lent = Buffer.alloc(16 * 1024);
  for (let turn = 0; turn < 50; turn++) {
    lent.fill(turn);
    writeCopy(socket, lent, 0, lent.length);
    let got = 0;
    while (got < lent.length) {
      const [data] = (await once(socket, 'data')) as [Buffer];
      assert.ok(
        data.every((byte) => byte === turn),
        `turn ${turn}`,
      );
      got += data.length;
    }
  }
  socket.destroy();
  server.close();
});
