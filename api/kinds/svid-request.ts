import { z } from 'zod';
import { objectMetaSchema } from '../meta/object-meta.ts';
import { issuedCertificate, requestedCertificate } from './certificate-request.ts';

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
      ...requestedCertificate,
    }),
    status: issuedCertificate('The SVID').optional(),
  })
  .describe('Asks for an X.509 SVID.');

export type SvidRequest = z.infer<typeof svidRequestSchema>;
