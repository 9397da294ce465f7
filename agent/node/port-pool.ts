import { createServer } from 'node:net';
import { type Random, randomInt } from '../../kit/random.ts';
import { type Claim, claim } from './claim.ts';

/**
 * Ports for pods: 28000 to 32767. Below the ports that Linux gives to outgoing connections (ip_local_port_range begins at
 * 32768), which would come between the choice of a port and its use; above those that sidecars listen on for Services
 * (20000 to 27999), which an app on 0.0.0.0 would collide with.
 */
const FIRST = 28_000;
/** 32 agents of one machine have ports that nobody else gives out. The first port of a block is its sign, and is never given. */
const BLOCKS = 32;
const BLOCK = 149;

/** Gives out ports that nothing listens on. A port is given to one pod until that gives it back. */
export class PortPool {
  readonly #random: Random;
  readonly #taken = new Set<number>();
  readonly #blocks = new Map<number, Promise<Claim | undefined>>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** A port that was given out by an earlier agent and is still in use. */
  keep(port: number): void {
    this.#taken.add(port);
    void this.#claim(Math.floor((port - FIRST) / BLOCK));
  }

  release(port: number): void {
    this.#taken.delete(port);
  }

  /**
   * A free port. It lies in a block that this agent alone chooses from: between the choice and the app's start, and while an app that
   * crashed is down, nothing listens, and another agent would find it free too. Throws when all are in use.
   */
  async take(): Promise<number> {
    const start = randomInt(this.#random, BLOCKS);
    const blocks = Array.from({ length: BLOCKS }, (_, step) => (start + step) % BLOCKS);
    const known = blocks.filter((block) => this.#blocks.has(block));
    const others = blocks.filter((block) => !this.#blocks.has(block));
    for (const block of [...known, ...others]) {
      if ((await this.#claim(block)) === undefined) continue;
      const port = await this.#freeIn(block);
      if (port !== undefined) return port;
    }
    // More agents than blocks: from those of others, as far as nothing listens yet.
    for (const block of blocks) {
      const port = await this.#freeIn(block);
      if (port !== undefined) return port;
    }
    throw new Error(`port for a pod: all of ${FIRST} to ${FIRST + BLOCKS * BLOCK - 1} are in use`);
  }

  /** Lets other agents choose from its blocks. What listens there stays in use. */
  async close(): Promise<void> {
    for (const claimed of this.#blocks.values()) (await claimed)?.release();
    this.#blocks.clear();
  }

  async #claim(block: number): Promise<Claim | undefined> {
    const claimed = this.#blocks.get(block) ?? claim('127.0.0.1', FIRST + block * BLOCK);
    this.#blocks.set(block, claimed);
    const own = await claimed;
    // It may be free the next time.
    if (own === undefined) this.#blocks.delete(block);
    return own;
  }

  async #freeIn(block: number): Promise<number | undefined> {
    const start = randomInt(this.#random, BLOCK - 1);
    for (let step = 0; step < BLOCK - 1; step++) {
      const port = FIRST + block * BLOCK + 1 + ((start + step) % (BLOCK - 1));
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      if (await isFree(port)) return port;
      this.#taken.delete(port);
    }
    return undefined;
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
