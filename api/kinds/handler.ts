import { z } from 'zod';
import { intOrStringSchema } from '../meta/int-or-percent.ts';
import { atomicList } from './list-schema.ts';

/** The ways to ask or tell a container something: a probe and a lifecycle hook have one of them. */

export const execActionSchema = z
  .strictObject({
    command: atomicList(z.string()).optional().describe('The command line, run without a shell in the container.'),
  })
  .describe('Runs a command in the container; exit status 0 is success.');

export const httpGetActionSchema = z
  .strictObject({
    path: z.string().default('/').describe('Path to access on the HTTP server.'),
    port: intOrStringSchema.describe('Name or number of the port to access on the container.'),
    host: z.string().optional().describe('Host name to connect to; the pod IP by default.'),
    scheme: z.enum(['HTTP', 'HTTPS']).default('HTTP').describe('Scheme to use for connecting to the host.'),
    httpHeaders: atomicList(z.strictObject({ name: z.string(), value: z.string() }))
      .optional()
      .describe('Custom headers to set in the request.'),
  })
  .describe('Sends an HTTP GET request; a status of 200 to 399 is success.');

export const tcpSocketActionSchema = z
  .strictObject({
    port: intOrStringSchema.describe('Name or number of the port to access on the container.'),
    host: z.string().optional().describe('Host name to connect to; the pod IP by default.'),
  })
  .describe('Opens a TCP connection; a connection is success.');

export const grpcActionSchema = z
  .strictObject({
    port: z.int().describe('Port number of the gRPC service.'),
    service: z.string().default('').describe('Name of the service in the health check request.'),
  })
  .describe('Calls grpc.health.v1.Health/Check; SERVING is success.');

const lifecycleHandlerSchema = z.strictObject({
  exec: execActionSchema.optional(),
  httpGet: httpGetActionSchema.optional(),
  tcpSocket: tcpSocketActionSchema.optional(),
  sleep: z.strictObject({ seconds: z.int() }).optional(),
});

export const lifecycleSchema = z
  .strictObject({
    postStart: lifecycleHandlerSchema.optional().describe('Called right after the container was created.'),
    preStop: lifecycleHandlerSchema.optional().describe('Called right before the container is stopped.'),
    stopSignal: z.string().optional().describe('The signal that stops the container.'),
  })
  .describe('Actions to take in response to container lifecycle events.');

export type ExecAction = z.infer<typeof execActionSchema>;
export type HttpGetAction = z.infer<typeof httpGetActionSchema>;
export type TcpSocketAction = z.infer<typeof tcpSocketActionSchema>;
export type GrpcAction = z.infer<typeof grpcActionSchema>;
