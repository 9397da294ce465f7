import { request } from 'node:http';

export interface AdminAddress {
  readonly address: string;
  readonly port: number;
}

/** Sends a request to a proxy's admin endpoint; the status, once the answer has ended. Throws when there is none. */
export function askAdmin(
  { address, port }: AdminAddress,
  method: 'GET' | 'POST',
  path: string,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: address, port, method, path, agent: false, signal }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}
