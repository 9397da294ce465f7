import type { Duplex } from 'node:stream';
import type { HostileRequest } from './hostile-request.ts';

/** A way in: a new connection to what is under test. */
export type Dial = () => Duplex;

export interface Conversation {
  /** Of every answer, those to the request that came afterwards left out. */
  readonly statuses: readonly number[];
  /** Everything that came back. */
  readonly text: string;
  /** `silent`: neither closed nor answering within the time. */
  readonly connection: 'kept' | 'closed' | 'silent';
}

const AFTER = 'GET /after HTTP/1.1\r\nHost: a\r\n\r\n';

export const statusesOf = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map(([, status]) => Number(status));

const finals = (statuses: readonly number[]): number => statuses.filter((status) => status >= 200).length;

/**
 * Sends a row's bytes and gathers what comes back. Once as many answers are there as the row expects, one more request asks whether the
 * connection is kept. `patienceMs`: how long nothing may happen before that is taken for silence.
 */
export function converse(dial: Dial, row: HostileRequest, patienceMs: number): Promise<Conversation> {
  return new Promise((resolve) => {
    const socket = dial();
    const wanted = finals(row.answers);
    let text = '';
    let asked = false;
    const finish = (connection: Conversation['connection']): void => {
      clearTimeout(patience);
      socket.destroy();
      const statuses = statusesOf(text);
      resolve({ statuses: connection === 'kept' ? statuses.slice(0, -1) : statuses, text, connection });
    };
    const patience = setTimeout(() => {
      // Fewer answers than expected: the same question tells whether the connection is alive.
      if (asked || wanted === finals(statusesOf(text))) finish('silent');
      else ask();
    }, patienceMs);
    const ask = (): void => {
      asked = true;
      patience.refresh();
      socket.write(AFTER);
    };
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      patience.refresh();
      if (text.includes('saw ["GET","/after",""]')) finish('kept');
      else if (!asked && row.connection === 'kept' && finals(statusesOf(text)) >= wanted) ask();
    });
    socket.on('end', () => finish('closed'));
    socket.on('error', () => finish('closed'));
    void send(socket, row);
  });
}

async function send(socket: Duplex, row: HostileRequest): Promise<void> {
  for (const piece of row.pieces) {
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => socket.write(piece, 'latin1', () => resolve()));
    // A turn of the loop, so that pieces arrive apart.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (row.ends === true) socket.end();
}
