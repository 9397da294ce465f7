import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import net from 'node:net';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { startEngine } from '../../proxy/test-support/harness.ts';
import { cluster, forward, listener, route, routeTable, tables } from '../../proxy/test-support/tables.ts';
import { needs, program } from '../support/programs.ts';
import { socketFolder } from './peers.ts';

/** Joins each connection with the Unix socket that varnishtest's server listens on, so that nobody has to find a free port for it. */
async function relayTo(path: string): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (near) => {
    const far = net.connect({ path, allowHalfOpen: true });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroySoon();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function varnishtest(
  file: string,
  macros: Readonly<Record<string, string>>,
): Promise<{ readonly code: unknown; readonly said: string }> {
  const defined = Object.entries(macros).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
  const child = spawn(program('varnishtest'), ['-t', '120', ...defined, file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (data: Buffer) => void (said += data.toString()));
  child.stderr.on('data', (data: Buffer) => void (said += data.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  return { code, said };
}

for (const file of globSync(join(import.meta.dirname, 'messages/*.vtc')).sort()) {
  test(`varnishtest agrees with messages/${basename(file)}`, needs('varnishtest'), async () => {
    await using folder = await socketFolder();
    await using relay = await relayTo(folder.app);
    await using proxy = await startEngine({
      tables: tables([listener('in', 't')], [routeTable('t', [route(forward('app'))])], [cluster('app', [relay.port])]),
    });
    const { code, said } = await varnishtest(file, { upstream: folder.app, proxy: `127.0.0.1:${proxy.port('in')}` });
    assert.equal(code, 0, said);
  });
}
