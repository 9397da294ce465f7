// An agent in a process of its own, for tests that kill it. Its options come as JSON in a file; `ready` on standard output
// tells that it runs.
import { readFileSync } from 'node:fs';
import { type HttpClientOptions, httpClient } from '../../api/client/http-client.ts';
import { systemClock } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';
import { systemRandom } from '../../kit/random.ts';
import { type AgentOptions, startAgent } from '../main.ts';

/** What the file says. */
export interface AgentProcessFile {
  readonly client: HttpClientOptions;
  readonly options: Omit<AgentOptions, 'client' | 'clock' | 'random' | 'log'>;
}

const { client, options } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as AgentProcessFile;
await startAgent({
  ...options,
  client: httpClient(client),
  clock: systemClock(),
  random: systemRandom(),
  log: silentLog(),
});
process.stdout.write('ready\n');
