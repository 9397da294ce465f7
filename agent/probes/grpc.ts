import type { GrpcAction } from '../../api/kinds/handler.ts';
import { joinHostPort, probeAddress } from './address.ts';
import type { ProbeResult, ProbeTarget } from './handlers.ts';

const SERVING = 1;
const LENGTH_DELIMITED_FIELD_1 = 0x0a;
const VARINT_FIELD_1 = 0x08;

/** Calls grpc.health.v1.Health/Check over plain HTTP/2; SERVING is success (pkg/probe/grpc/grpc.go). */
export async function probeGrpc(action: GrpcAction, target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  // Loaded when it is first needed: most pods have no such probe.
  const { Client, credentials, Metadata } = await import('@grpc/grpc-js');
  const address = joinHostPort(probeAddress({ port: action.port }, target));
  const client = new Client(address, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });
  const deadline = new Date(target.clock.now() + timeoutMs);
  try {
    const status = await new Promise<number>((resolve, reject) => {
      client.makeUnaryRequest(
        '/grpc.health.v1.Health/Check',
        encodeHealthCheckRequest,
        decodeServingStatus,
        action.service,
        new Metadata(),
        { deadline },
        (error, value) => {
          if (error === null) resolve(value ?? 0);
          else reject(error);
        },
      );
    });
    if (status === SERVING) return { outcome: 'success', message: 'service healthy' };
    return { outcome: 'failure', message: `service unhealthy (responded with status ${status})` };
  } catch (error) {
    return { outcome: 'failure', message: `error: health rpc failed: ${(error as Error).message}` };
  } finally {
    client.close();
  }
}

/** `message HealthCheckRequest { string service = 1; }`; an empty string is left out (proto3). */
function encodeHealthCheckRequest(service: string): Buffer {
  const bytes = Buffer.from(service, 'utf8');
  if (bytes.length === 0) return bytes;
  const length = bytes.length < 0x80 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return Buffer.concat([Buffer.from([LENGTH_DELIMITED_FIELD_1, ...length]), bytes]);
}

/** `message HealthCheckResponse { ServingStatus status = 1; }`; 0, UNKNOWN, is left out. */
function decodeServingStatus(bytes: Buffer): number {
  return bytes[0] === VARINT_FIELD_1 ? (bytes[1] ?? 0) : 0;
}
