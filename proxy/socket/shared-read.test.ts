import assert from 'node:assert/strict';
import type net from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import { testAuthority } from '../test-support/mesh.ts';
import { readAccepted } from './shared-read.ts';

const BYTES = 4 * 1024 * 1024;
/** What the kernel's buffer held already may still be decrypted. */
const MOST_WHILE_PAUSED = 256 * 1024;

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("a TLS server's socket reads into one buffer, all of it and in order, stops while it is paused, and tells the end", async () => {
  await using ca = await testAuthority();
  const { certificateChainPem: cert, privateKeyPem: key } = ca.identity('web');
  const server = tls.createServer({ cert, key, minVersion: 'TLSv1.3', allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  try {
    const sent = Buffer.from(Uint32Array.from({ length: BYTES / 4 }, (_, at) => at).buffer);
    client.write(sent);
    client.end();
    const got: Buffer[] = [];
    const buffers = new Set<Buffer>();
    let whilePaused = 0;
    await new Promise<void>((resolve, reject) => {
      server.once('secureConnection', (socket) => {
        const receive = (from: Buffer, count: number): void => {
          buffers.add(from);
          got.push(Buffer.from(from.subarray(0, count)));
          if (socket.isPaused()) whilePaused += count;
          else if (got.length === 1) {
            socket.pause();
            void turns(100).then(() => socket.resume());
          }
        };
        socket.on('end', resolve);
        socket.on('error', reject);
        readAccepted(socket, { receive });
      });
    });
    assert.equal(buffers.size, 1);
    assert.ok(whilePaused < MOST_WHILE_PAUSED, `${whilePaused} bytes while paused`);
    assert.ok(Buffer.concat(got).equals(sent));
  } finally {
    client.destroy();
    server.close();
  }
});
