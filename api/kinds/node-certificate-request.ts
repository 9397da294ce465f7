import { z } from 'zod';
import { dnsSubdomain } from '../meta/names.ts';
import { objectMetaSchema } from '../meta/object-meta.ts';
import { issuedCertificate, requestedCertificate } from './certificate-request.ts';

/** Longest name of a node that a common name has room for beside `system:node:` (ub-common-name is 64 in RFC 5280). */
const NODE_NAME_MAX = 52;

/**
 * tutti.dev/v1alpha1 NodeCertificateRequest: a machine that joins asks for its certificate with a join token, and a node that
 * has one for the next. Not stored: a POST carries the question and gets it back with its status filled.
 */
export const nodeCertificateRequestSchema = z
  .strictObject({
    apiVersion: z.literal('tutti.dev/v1alpha1'),
    kind: z.literal('NodeCertificateRequest'),
    metadata: objectMetaSchema.default(() => ({})),
    spec: z.strictObject({
      nodeName: z
        .string()
        .max(NODE_NAME_MAX)
        .refine((name) => dnsSubdomain(name).length === 0, { error: 'must be a lowercase RFC 1123 subdomain' })
        .describe('The name of the node.'),
      ...requestedCertificate,
    }),
    status: issuedCertificate('The certificate').optional(),
  })
  .describe("Asks for a node's certificate.");

export type NodeCertificateRequest = z.infer<typeof nodeCertificateRequestSchema>;
