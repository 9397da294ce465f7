import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Upstream } from '../peers/job.ts';

export interface Collector extends Upstream {
  /** Batches so far. */
  readonly batches: () => number;
  close(): Promise<void>;
}

/** Takes every batch of spans and looks at none: what a proxy's tracing costs the proxy. */
export async function startCollector(): Promise<Collector> {
  let batches = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      batches++;
      response
        .writeHead(200, { 'content-type': request.headers['content-type'] ?? '' })
        .end(request.headers['content-type'] === 'application/json' ? '{}' : '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    batches: () => batches,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
