// Stands in for an app that uses the Workload API by itself: prints each identity that it is given with its serial number, and to standard error
// why it was given none.
import { X509Certificate } from 'node:crypto';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { SECURITY_HEADER, WorkloadApi } from '../../certs/workload/spiffe-api/methods.ts';
import { type SvidCall, WorkloadApiSource } from '../../certs/workload/spiffe-api/workload-api-source.ts';
import { systemClock } from '../../kit/clock.ts';
import { createLog } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';

const source = new WorkloadApiSource({
  address: process.env['SPIFFE_ENDPOINT_SOCKET'] ?? '',
  spiffeId: process.argv[2] ?? '',
  open,
  clock: systemClock(),
  random: systemRandom(),
  log: createLog({ level: 'debug', format: 'json' }),
});
source.onChange(({ spiffeId, certificateChainPem }) => {
  process.stdout.write(`${spiffeId} ${new X509Certificate(certificateChainPem).serialNumber}\n`);
});
await source.start();

/** By gRPC's own library, as other people's apps ask. */
function open(address: string): SvidCall {
  const client = new Client(address, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set(SECURITY_HEADER, 'true');
  const { path, requestSerialize, responseDeserialize } = WorkloadApi.fetchX509Svid;
  const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, metadata);
  return {
    onMessage: (listener) => void stream.on('data', listener),
    onEnd: (listener) => void stream.on('error', listener).on('end', () => listener(undefined)),
    close: () => {
      stream.cancel();
      client.close();
    },
  };
}
