import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ListenAt, listen } from './listen.ts';

const WAYS = ['directly', 'as node does it'] as const;

function serverOf(way: (typeof WAYS)[number]): net.Server {
  const server = net.createServer((socket) => socket.end('here'));
  // As where Node is not as we know it.
  return way === 'directly' ? server : Object.assign(server, { _listen2: undefined, listen: publicListen });
}

/** Node's own `listen` ends in the method that has been taken away above. */
function publicListen(
  this: net.Server & { _listen2?: unknown },
  ...args: Parameters<net.Server['listen']>
): net.Server {
  delete this._listen2;
  return net.Server.prototype.listen.apply(this, args);
}

async function heardAt(to: net.NetConnectOpts): Promise<string> {
  const socket = net.connect(to);
  let heard = '';
  socket.on('data', (data: Buffer) => void (heard += data.toString()));
  await once(socket, 'close');
  return heard;
}

for (const way of WAYS) {
  test(`${way}: an address of either family, and a path, take connections`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tutti-listen-'));
    try {
      const path = join(folder, 'socket');
      for (const at of [{ host: '127.0.0.1', port: 0 }, { host: '::1', port: 0 }, { path }] satisfies ListenAt[]) {
        const server = serverOf(way);
        await listen(server, at);
        assert.ok(server.listening);
        const { port } = 'path' in at ? { port: 0 } : (server.address() as net.AddressInfo);
        assert.equal(await heardAt('path' in at ? at : { host: at.host, port }), 'here');
        server.close();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test(`${way}: an address that is taken is refused in node's own words`, async () => {
    const first = serverOf(way);
    await listen(first, { host: '127.0.0.1', port: 0 });
    const { port } = first.address() as net.AddressInfo;
    await assert.rejects(listen(serverOf(way), { host: '127.0.0.1', port }), {
      code: 'EADDRINUSE',
      message: `listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
    });
    await assert.rejects(listen(serverOf(way), { path: '/nowhere/socket' }), { code: 'EACCES' });
    first.close();
  });
}
