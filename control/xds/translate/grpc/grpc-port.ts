import { isGrpcPort } from '../../../../api/kinds/grpc-port.ts';
import type { Pod } from '../../../../api/kinds/pod.ts';
import type { Service } from '../../../../api/kinds/service.ts';
import { selectedPorts } from '../selecting-ports.ts';

/**
 * The container port of a pod that gRPC's clients reach; undefined where no Service with a gRPC port selects it. There is one: a client's TLS
 * server name is the host of its target (gRFC A29), whichever Service a route leads it to, and so says nothing of ports. Of several the
 * lowest.
 */
export function grpcPortOf(pod: Pod, services: readonly Service[]): number | undefined {
  const found = selectedPorts(pod, services, isGrpcPort);
  return found.size === 0 ? undefined : Math.min(...found);
}
