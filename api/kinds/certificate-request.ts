import { z } from 'zod';
import { timeSchema } from '../meta/time.ts';

/** Longer requests are refused before they are read: a P-256 CSR has about 500 bytes. */
const CSR_MAX_BYTES = 8192;

/** What every request for a certificate of the mesh's CA says, whoever asks. */
export const requestedCertificate = {
  csr: z
    .string()
    .max(CSR_MAX_BYTES)
    .startsWith('-----BEGIN CERTIFICATE REQUEST-----', { error: 'must be a certificate request in PEM' })
    .describe('The certificate request, PEM.'),
  ttlSeconds: z.int().min(1).optional().describe("How long it is to be valid; the control plane's limit holds."),
};

/** The answer. `what` is asked for: "The SVID". */
export function issuedCertificate(what: string) {
  return z.strictObject({
    certificateChain: z.string().describe(`${what} and its intermediates, PEM, leaf first.`),
    trustBundle: z.string().describe('The roots to verify others with, PEM.'),
    expirationTimestamp: timeSchema.describe(`When ${what.charAt(0).toLowerCase()}${what.slice(1)} ends.`),
  });
}
