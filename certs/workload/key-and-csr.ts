import { generateKeyPairSync } from 'node:crypto';
import { createRequest } from '../x509/request.ts';

export interface KeyAndCsr {
  /** PKCS#8. Stays in this process. */
  readonly privateKeyPem: string;
  /** PKCS#10 for the id, signed with the key. */
  readonly csrPem: string;
}

/** A new P-256 key, and the request for a certificate that binds it to an id. */
export function createKeyAndCsr(spiffeId: string): KeyAndCsr {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    csrPem: createRequest(spiffeId, privateKey),
  };
}
