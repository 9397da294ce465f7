import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { HttpClient } from '../../api/client/http-client.ts';
import { nodeCertificateRequestSchema } from '../../api/kinds/node-certificate-request.ts';

export interface NodeCertificate {
  readonly certificatePem: string;
  readonly keyPem: string;
  /** The CA certificates, as the API server knows them now. */
  readonly caPem: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

export interface CertificateOrder {
  readonly nodeName: string;
  readonly keyPem: string;
  readonly csrPem: string;
  readonly ttlSeconds: number;
  readonly nowMs: number;
}

const PATH = '/apis/tutti.dev/v1alpha1/nodecertificaterequests';

/** Throws ApiError where it is refused, and Error for an answer that is of no use. */
export async function requestCertificate(
  client: Pick<HttpClient, 'request'>,
  { nodeName, keyPem, csrPem, ttlSeconds, nowMs }: CertificateOrder,
): Promise<NodeCertificate> {
  const body = {
    apiVersion: 'tutti.dev/v1alpha1',
    kind: 'NodeCertificateRequest',
    metadata: {},
    spec: { nodeName, csr: csrPem, ttlSeconds },
  };
  const { status } = nodeCertificateRequestSchema.parse(await client.request('POST', PATH, { body }));
  if (status === undefined) throw new Error(`certificate of node "${nodeName}": the answer has none`);
  if (!new X509Certificate(status.certificateChain).checkPrivateKey(createPrivateKey(keyPem))) {
    throw new Error(`certificate of node "${nodeName}": the answer is for another key`);
  }
  return {
    certificatePem: status.certificateChain,
    keyPem,
    caPem: status.trustBundle,
    issuedAtMs: nowMs,
    expiresAtMs: Date.parse(status.expirationTimestamp),
  };
}
