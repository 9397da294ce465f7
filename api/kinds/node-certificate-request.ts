import { z } from 'zod';
import { dnsSubdomain } from '../meta/names.ts';
import { objectMetaSchema } from '../meta/object-meta.ts';
import { timeSchema } from '../meta/time.ts';

/** Longer requests are refused before they are read: a P-256 CSR has about 500 bytes. */
const CSR_MAX_BYTES = 8192;

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
        .refine((name) => dnsSubdomain(name) === undefined, { error: 'must be a lowercase RFC 1123 subdomain' })
        .describe('The name of the node.'),
      csr: z
        .string()
        .max(CSR_MAX_BYTES)
        .startsWith('-----BEGIN CERTIFICATE REQUEST-----', { error: 'must be a certificate request in PEM' })
        .describe('The certificate request, PEM.'),
      ttlSeconds: z.int().min(1).optional().describe("How long it is to be valid; the control plane's limit holds."),
    }),
    status: z
      .strictObject({
        certificateChain: z.string().describe('The certificate and its intermediates, PEM, leaf first.'),
        trustBundle: z.string().describe('The roots to verify others with, PEM.'),
        expirationTimestamp: timeSchema.describe('When the certificate ends.'),
      })
      .optional(),
  })
  .describe("Asks for a node's certificate.");

export type NodeCertificateRequest = z.infer<typeof nodeCertificateRequestSchema>;
