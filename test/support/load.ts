import autocannon from 'autocannon';

export interface LoadOptions {
  readonly url: string;
  readonly requestsPerSecond: number;
  readonly connections?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Most seconds it runs when nobody stops it. */
  readonly limitSeconds?: number;
}

export interface LoadResult {
  readonly sent: number;
  readonly ok: number;
  /** Every request that got no answer of 2xx: other statuses, connection errors, time-outs, connections closed instead of an answer. */
  readonly failed: number;
  /** The same by kind, and what the first answers that were not 2xx and the first errors said, and when, for the message of a failing test. */
  readonly detail: string;
  readonly p99Ms: number;
}

/** How many failures are told in words. */
const MOST_TOLD = 5;

export interface Load {
  /** Ends the load and gives the client's own count. */
  stop(): Promise<LoadResult>;
}

/** A steady open-loop load from this process: autocannon with a set rate. */
export function startLoad({
  url,
  requestsPerSecond,
  connections = 20,
  headers = {},
  limitSeconds = 120,
}: LoadOptions): Load {
  const statuses = new Map<number, number>();
  const refusals: string[] = [];
  let unanswered = 0;
  const began = performance.now();
  const refuse = (what: string): void => {
    if (refusals.length < MOST_TOLD)
      refusals.push(`after ${((performance.now() - began) / 1000).toFixed(1)} s: ${what}`);
  };

  // autocannon itself does not count a request whose connection the server closed without an answer: it dials anew and
  // sends the next. One request at a time is out on a connection, so a second one tells that the first was lost.
  const setupClient = (client: autocannon.Client): void => {
    let waiting = false;
    let text = '';
    client.on('request' as 'response', () => {
      if (waiting) {
        unanswered += 1;
        refuse('closed without an answer');
      }
      waiting = true;
      text = '';
    });
    client.on('body', (body: Buffer) => {
      text += body;
    });
    client.on('response', (status: number) => {
      waiting = false;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status < 200 || status > 299) refuse(`${status} ${text.trim()}`);
    });
  };

  const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const instance = autocannon(
    {
      url,
      connections,
      overallRate: requestsPerSecond,
      duration: limitSeconds,
      timeout: 10,
      headers: { ...headers },
      setupClient,
    },
    (error: unknown, result: autocannon.Result) => (error === null ? resolve(result) : reject(error)),
  );
  (instance as unknown as NodeJS.EventEmitter).on('reqError', (error: Error) => refuse(error.message));
  return {
    stop: async () => {
      (instance as unknown as { stop(): void }).stop();
      const result = await promise;
      const codes = [...statuses].map(([status, count]) => `${status}: ${count}`).join(', ');
      return {
        sent: [...statuses.values()].reduce((sum, count) => sum + count, unanswered),
        ok: result['2xx'],
        // A time-out is counted by autocannon among the errors as well.
        failed: result.non2xx + result.errors + unanswered,
        detail: [
          `${codes}; ${result.errors} connection errors and time-outs, ${unanswered} closed without an answer`,
          ...refusals,
        ].join('; '),
        p99Ms: result.latency.p99,
      };
    },
  };
}
