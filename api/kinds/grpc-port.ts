import type { ServicePort } from './service.ts';

/** HTTP/2 without TLS of the app's own, as gRPC's clients speak it (gRPC's own name, and KEP-3726's). */
const GRPC_PROTOCOLS: ReadonlySet<string> = new Set(['grpc', 'kubernetes.io/h2c']);

/** Whether gRPC's own xDS clients may call a Service's port (docs/grpc.md). */
export function isGrpcPort({ protocol, appProtocol }: ServicePort): boolean {
  return protocol === 'TCP' && appProtocol !== undefined && GRPC_PROTOCOLS.has(appProtocol.toLowerCase());
}
