import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CASES } from './cases.ts';
import { normalize } from './normalize.ts';
import { buildOracle } from './oracle/build.ts';
import { startOracle } from './oracle/start.ts';
import { perform } from './perform.ts';
import { digest, type RecordedCase, writeRecorded } from './recorded.ts';

/*
 * Builds the oracle, puts every case to it and writes down what it answered: `node test/reference/record.ts [FILE...]`,
 * where FILE is one of recorded/ without its ending. Needs go and etcd; the first build takes minutes. `--apiserver PATH`
 * takes a kube-apiserver that is built already; go then only fetches the Gateway API's definitions.
 */

const { values, positionals: wanted } = parseArgs({
  options: { apiserver: { type: 'string' } },
  allowPositionals: true,
});
const folder = join(import.meta.dirname, '..', '..', '.tools', 'oracle');
const say = (line: string): void => void process.stdout.write(`record: ${line}\n`);

if (values.apiserver === undefined) say(`building kube-apiserver in ${folder}`);
const oracle = await startOracle(buildOracle(folder, values.apiserver));
try {
  for (const [group, cases] of Object.entries(CASES)) {
    if (wanted.length > 0 && !wanted.includes(group)) continue;
    const recorded = new Map<string, RecordedCase>();
    for (const each of cases) {
      const answers = await perform(oracle.server, each);
      recorded.set(each.name, { calls: digest(each), answers: normalize(each, answers, Date.now()) });
    }
    writeRecorded(group, recorded);
    say(`${group}: ${cases.length} cases, ${cases.reduce((sum, { calls }) => sum + calls.length, 0)} answers`);
  }
} finally {
  await oracle.stop();
}
