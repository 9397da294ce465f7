import { z } from 'zod';
import { execActionSchema, grpcActionSchema, httpGetActionSchema, tcpSocketActionSchema } from './handler.ts';

/** 0 is unset, as in Go. */
function secondsOrCount(fallback: number) {
  return z
    .int()
    .overwrite((value) => (value === 0 ? fallback : value))
    .default(fallback);
}

/** Defaults: SetDefaults_Probe in k8s.io/kubernetes/pkg/apis/core/v1/defaults.go. */
export const probeSchema = z
  .strictObject({
    exec: execActionSchema.optional(),
    httpGet: httpGetActionSchema.optional(),
    tcpSocket: tcpSocketActionSchema.optional(),
    grpc: grpcActionSchema.optional(),
    initialDelaySeconds: z.int().optional().describe('Seconds after the container started before the first probe.'),
    timeoutSeconds: secondsOrCount(1).describe('Seconds after which a probe has failed.'),
    periodSeconds: secondsOrCount(10).describe('Seconds between probes.'),
    successThreshold: secondsOrCount(1).describe('Successes in a row, after a failure, that count as success.'),
    failureThreshold: secondsOrCount(3).describe('Failures in a row, after a success, that count as failure.'),
    terminationGracePeriodSeconds: z
      .int()
      .optional()
      .describe("Seconds that the container gets to end when the probe failed; the pod's by default."),
  })
  .describe('A health check of a container.');

export type Probe = z.infer<typeof probeSchema>;
