import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that the system gives to outgoing connections and to whoever asks for port 0 (ip_local_port_range), and below those of
 * sidecars and pods (agent/node/port-pool.ts): whatever else runs on the machine, nobody comes upon one of these by chance.
 */
const FIRST = 10_000;
const COUNT = 4500;

/**
 * A TCP port that nothing listens on, on any address. For manifests and flags that must name one, and for addresses where
 * nobody is to answer. Until this process ends no other test is given it.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < COUNT; tries++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if ((await reserve(port)) && (await isFree(port))) return port;
  }
  throw new Error(`no port from ${FIRST} to ${FIRST + COUNT - 1} is free`);
}

/** The UDP port of that number stands for it: only one process has that, and it is free again however the process ends. */
async function reserve(port: number): Promise<boolean> {
  const held = createSocket('udp4').bind({ port, address: '127.0.0.1', exclusive: true });
  try {
    await once(held, 'listening');
    held.unref();
    return true;
  } catch {
    held.close();
    return false;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen({ port, host: '0.0.0.0', exclusive: true });
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
