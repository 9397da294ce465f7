import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';
import { startDns } from '../dns/server.ts';
import { buildZone } from '../dns/zone.ts';
import { sampleRegistry } from './sample-cluster.ts';

// The sample cluster's DNS server as a process. Usage: serve-sample.ts PORT. Prints a line once it answers.
const zone = buildZone(sampleRegistry(), {
  domain: 'cluster.local',
  serial: 1,
  serverAddress: '127.0.0.1',
  complete: true,
});
const { port, datagrams } = await startDns({
  address: '127.0.0.1',
  port: Number(process.argv[2]),
  zone: () => zone,
  forwardTo: [],
  clock: systemClock(),
  random: systemRandom(),
  log: silentLog(),
});
process.stdout.write(`port ${port}, datagrams ${datagrams}\n`);
