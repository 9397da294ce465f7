import { z } from 'zod';
import { execActionSchema, grpcActionSchema, httpGetActionSchema, tcpSocketActionSchema } from './handler.ts';

/** Defaults: SetDefaults_Probe in k8s.io/kubernetes/pkg/apis/core/v1/defaults.go. */
export const probeSchema = z
  .strictObject({
    exec: execActionSchema.optional(),
    httpGet: httpGetActionSchema.optional(),
    tcpSocket: tcpSocketActionSchema.optional(),
    grpc: grpcActionSchema.optional(),
    initialDelaySeconds: z.int().optional().describe('Seconds after the container started before the first probe.'),
    timeoutSeconds: z.int().default(1).describe('Seconds after which a probe has failed.'),
    periodSeconds: z.int().default(10).describe('Seconds between probes.'),
    successThreshold: z.int().default(1).describe('Successes in a row, after a failure, that count as success.'),
    failureThreshold: z.int().default(3).describe('Failures in a row, after a success, that count as failure.'),
    terminationGracePeriodSeconds: z
      .int()
      .optional()
      .describe("Seconds that the container gets to end when the probe failed; the pod's by default."),
  })
  .describe('A health check of a container.');

export type Probe = z.infer<typeof probeSchema>;
