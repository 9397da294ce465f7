import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A proxy before a Unix socket that loses what it is told to lose. */
export interface CuttingProxy {
  /** `unix:///tmp/…` */
  readonly url: string;
  /** Answers that come from now on stay here. */
  holdAnswers(): void;
  /** Requests that come from now on stay here, also when their sender has gone. */
  holdRequests(): void;
  heldBytes(): number;
  /** Cuts every connection on both sides and lets everything through again. */
  cut(): void;
  /** Cuts the clients off; what they have sent stays held for the server. New connections go through. */
  cutClients(): void;
  /** Sends the held requests on. Resolves when the server has answered the last of them. */
  releaseRequests(): Promise<void>;
  /** Cuts every connection and takes no new one. */
  refuse(): void;
  accept(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly held: Buffer[];
  holdsRequests: boolean;
}

export async function cuttingProxy(target: string): Promise<CuttingProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-cut-'));
  const path = join(folder, 'proxy.sock');
  const pairs = new Set<Pair>();
  let answersHeld = false;
  let requestsHeld = false;
  let refusing = false;
  let held = 0;
  const listener = createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const pair: Pair = { client, server: connect(target), held: [], holdsRequests: requestsHeld };
    pairs.add(pair);
    client.on('data', (data: Buffer) => {
      if (!pair.holdsRequests) {
        pair.server.write(data);
        return;
      }
      pair.held.push(data);
      held += data.length;
    });
    pair.server.on('data', (data: Buffer) => {
      if (answersHeld) held += data.length;
      else client.write(data);
    });
    client.on('error', () => undefined);
    pair.server.on('error', () => undefined);
    client.on('close', () => {
      if (!pair.holdsRequests) pair.server.destroy();
    });
    pair.server.on('close', () => {
      client.destroy();
      pairs.delete(pair);
    });
  });
  listener.listen(path);
  await once(listener, 'listening');
  const cut = (): void => {
    answersHeld = false;
    requestsHeld = false;
    held = 0;
    for (const { client, server } of pairs) {
      client.destroy();
      server.destroy();
    }
  };
  return {
    url: `unix://${path}`,
    holdAnswers: () => {
      answersHeld = true;
    },
    holdRequests: () => {
      requestsHeld = true;
      for (const pair of pairs) pair.holdsRequests = true;
    },
    heldBytes: () => held,
    cut,
    cutClients: () => {
      requestsHeld = false;
      for (const { client } of pairs) client.destroy();
    },
    releaseRequests: async () => {
      for (const pair of pairs) {
        if (pair.held.length === 0) continue;
        const answered = once(pair.server, 'data');
        pair.server.write(Buffer.concat(pair.held.splice(0)));
        await answered;
      }
      held = 0;
    },
    refuse: () => {
      refusing = true;
      cut();
    },
    accept: () => {
      refusing = false;
    },
    close: async () => {
      cut();
      listener.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
