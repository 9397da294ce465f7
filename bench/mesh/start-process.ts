// node bench/mesh/start-process.ts FOLDER SERVICES: what a sidecar needs to start, in one process: an xDS server that knows the
// services, and the SPIFFE Workload API on FOLDER/workload.sock. Prints the xDS server's port.
import { join } from 'node:path';
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { endpointSliceKind } from '../../api/kinds/endpoint-slice.ts';
import type { Kind, KubeObject } from '../../api/kinds/kind.ts';
import { podKind } from '../../api/kinds/pod.ts';
import { serviceKind } from '../../api/kinds/service.ts';
import { MESH_ADDRESS } from '../../api/meta/well-known.ts';
import { openAuthority } from '../../certs/authority/authority.ts';
import { derListOf, keyDerOf } from '../../certs/workload/spiffe-api/der-list.ts';
import type { X509SvidResponse } from '../../certs/workload/spiffe-api/messages.ts';
import { WorkloadApi } from '../../certs/workload/spiffe-api/methods.ts';
import { FakeClient } from '../../control/xds/test-support/fake-client.ts';
import { pod, service, slice } from '../../control/xds/test-support/objects.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { OWN_MESH_ADDRESS, OWN_POD, OWN_SPIFFE_ID, TRUST_DOMAIN } from './own-pod.ts';
import { startMeshServer } from './xds-server.ts';

const [folder = '', services = '100'] = process.argv.slice(2);
const [clock, log] = [systemClock(), silentLog()];
/** Endpoints of each Service. */
const ENDPOINTS = 3;
const FIRST_OUTBOUND_PORT = 20_000;

const authority = await openAuthority({ folder: join(folder, 'ca'), trustDomain: TRUST_DOMAIN, clock, log });

const client = new FakeClient();
const put = <T extends KubeObject>(kind: Kind<T>, object: T): void => client.put(kind as unknown as Kind, object);
put(podKind, pod(OWN_POD, { at: 2, annotations: { [MESH_ADDRESS]: OWN_MESH_ADDRESS } }));
for (let at = 0; at < Number(services); at++) {
  const name = `service-${at}`;
  const pods = Array.from({ length: ENDPOINTS }, (_, each) => pod(`${name}-${each}`, { at: 3 + each }));
  for (const each of pods) put(podKind, each);
  put(serviceKind, service(name, { clusterIP: `127.96.1.${at + 1}`, outboundPort: FIRST_OUTBOUND_PORT + at }));
  put(endpointSliceKind, slice(name, pods));
}
const { port, issue } = await startMeshServer({ client, authority, clock, log });

const workloads = new Server();
workloads.addService(WorkloadApi, {
  fetchX509Svid: (call: ServerWritableStream<unknown, X509SvidResponse>) => {
    const { spiffeId, certificateChainPem, privateKeyPem, trustBundlePem } = issue(OWN_SPIFFE_ID);
    const certificates = derListOf(certificateChainPem);
    const privateKey = keyDerOf(privateKeyPem);
    call.write({ svids: [{ spiffeId, certificates, privateKey, bundle: derListOf(trustBundlePem) }] });
  },
});
await new Promise<void>((resolve, reject) => {
  workloads.bindAsync(`unix://${join(folder, 'workload.sock')}`, ServerCredentials.createInsecure(), (error) =>
    error === null ? resolve() : reject(error),
  );
});
process.stdout.write(`${port}\n`);
