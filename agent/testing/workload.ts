// Stands in for an app that uses the Workload API by itself: prints each identity that it is given with its serial number, and to standard error
// why it was given none.
import { X509Certificate } from 'node:crypto';
import { WorkloadApiSource } from '../../certs/workload/spiffe-api/workload-api-source.ts';
import { systemClock } from '../../kit/clock.ts';
import { createLog } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';

const source = new WorkloadApiSource({
  address: process.env['SPIFFE_ENDPOINT_SOCKET'] ?? '',
  spiffeId: process.argv[2] ?? '',
  clock: systemClock(),
  random: systemRandom(),
  log: createLog({ level: 'debug', format: 'json' }),
});
source.onChange(({ spiffeId, certificateChainPem }) => {
  process.stdout.write(`${spiffeId} ${new X509Certificate(certificateChainPem).serialNumber}\n`);
});
await source.start();
