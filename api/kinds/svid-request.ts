import { z } from 'zod';
import { objectMetaSchema } from '../meta/object-meta.ts';
import { timeSchema } from '../meta/time.ts';

/** Longer requests are refused before they are read: a P-256 CSR has about 500 bytes. */
const CSR_MAX_BYTES = 8192;

/**
 * tutti.dev/v1alpha1 SvidRequest: a workload asks for its SVID. Who it is comes from the token of the request, never from
 * the CSR. Not stored: a POST carries the question and gets it back with its status filled.
 */
export const svidRequestSchema = z
  .strictObject({
    apiVersion: z.literal('tutti.dev/v1alpha1'),
    kind: z.literal('SvidRequest'),
    metadata: objectMetaSchema.default(() => ({})),
    spec: z.strictObject({
      csr: z
        .string()
        .max(CSR_MAX_BYTES)
        .startsWith('-----BEGIN CERTIFICATE REQUEST-----', { error: 'must be a certificate request in PEM' })
        .describe('The certificate request, PEM.'),
      ttlSeconds: z.int().min(1).optional().describe("How long it is to be valid; the control plane's limit holds."),
    }),
    status: z
      .strictObject({
        certificateChain: z.string().describe('The SVID and its intermediates, PEM, leaf first.'),
        trustBundle: z.string().describe('The roots to verify others with, PEM.'),
        expirationTimestamp: timeSchema.describe('When the SVID ends.'),
      })
      .optional(),
  })
  .describe('Asks for an X.509 SVID.');

export type SvidRequest = z.infer<typeof svidRequestSchema>;
