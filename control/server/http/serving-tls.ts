import { constants } from 'node:crypto';
import type { ServerOptions } from 'node:https';

/** What the API server shows its clients, and whose client certificates it takes. */
export interface ServingTls {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly clientCaPem: string;
}

/**
 * A client certificate is asked for and not required: tokens are as good. Sessions are not resumed by ticket, because a
 * resumed one would keep a verdict on the client's certificate from before the CA was changed.
 */
export function tlsOptions({ certificatePem, privateKeyPem, clientCaPem }: ServingTls): ServerOptions {
  return {
    cert: certificatePem,
    key: privateKeyPem,
    ca: clientCaPem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_TICKET,
    ALPNProtocols: ['http/1.1'],
  };
}
