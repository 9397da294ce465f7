import { request } from 'node:http';

export interface AdminAddress {
  readonly address: string;
  readonly port: number;
}

/** The serial number of the certificate that a proxy shows its peers (`GET /certs`, as Envoy's); undefined when it shows none. */
export async function usedSerial(admin: AdminAddress, signal: AbortSignal): Promise<string | undefined> {
  const body = await new Promise<string>((resolve, reject) => {
    const sent = request(
      { host: admin.address, port: admin.port, path: '/certs', agent: false, signal },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve(response.statusCode === 200 ? text : '{}'));
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end();
  });
  const { certificates } = JSON.parse(body) as {
    readonly certificates?: readonly { readonly cert_chain?: readonly { readonly serial_number?: string }[] }[];
  };
  return certificates?.[0]?.cert_chain?.[0]?.serial_number;
}

/** Which process answers there (`x-tutti-process`), ready or not: after a hot restart it is another one. Throws when none does. */
export function answeringProcess({ address, port }: AdminAddress, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: address, port, path: '/ready', agent: false, signal }, (response) => {
      response.resume();
      response.on('end', () => resolve(String(response.headers['x-tutti-process'] ?? '')));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
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
