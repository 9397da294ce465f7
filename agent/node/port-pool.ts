import { createServer } from 'node:net';
import { type Random, randomInt } from '../../kit/random.ts';

/**
 * Ports for pods: 28000 to 32767. Below the ports that Linux gives to outgoing connections (ip_local_port_range begins at
 * 32768), which would come between the choice of a port and its use; above those that sidecars listen on for Services
 * (20000 to 27999), which an app on 0.0.0.0 would collide with.
 */
const FIRST = 28_000;
const COUNT = 4768;

/** Gives out ports that nothing listens on. A port is given to one pod until that gives it back. */
export class PortPool {
  readonly #random: Random;
  readonly #taken = new Set<number>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** A port that was given out by an earlier agent and is still in use. */
  keep(port: number): void {
    this.#taken.add(port);
  }

  release(port: number): void {
    this.#taken.delete(port);
  }

  /** A random free port: another agent on this host chooses from the same range. Throws when all are in use. */
  async take(): Promise<number> {
    const start = randomInt(this.#random, COUNT);
    for (let step = 0; step < COUNT; step++) {
      const port = FIRST + ((start + step) % COUNT);
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      if (await isFree(port)) return port;
      this.#taken.delete(port);
    }
    throw new Error(`port for a pod: all of ${FIRST} to ${FIRST + COUNT - 1} are in use`);
  }
}

/** Free on every address: an app may listen on any. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
