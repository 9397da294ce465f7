import { parseArgs } from 'node:util';
import { startTestApiServer } from '../support/api-server.ts';
import { CASES } from './cases.ts';
import { describeDifference, findDifferences } from './find-differences.ts';
import { Explained, readKnownDifferences, writeKnownDifferences } from './known-differences.ts';
import { readRecorded } from './recorded.ts';
import { referenceServer } from './server.ts';

/*
 * Shows how our answers differ from Kubernetes': `node test/reference/differences.ts [CASE...]` prints each difference that
 * nobody has explained and how many answers each reason explains; --all prints the explained ones too; --count writes the
 * counts into known-differences.json and takes out what no longer differs.
 */

const { values, positionals } = parseArgs({
  options: { all: { type: 'boolean', default: false }, count: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const explained = new Explained(readKnownDifferences());
const api = await startTestApiServer();
const server = referenceServer(api.server, {
  ca: api.authority.trustBundlePem,
  cert: api.admin.certificateChainPem,
  key: api.admin.privateKeyPem,
});
const [asked, differing, unexplained] = [new Set<string>(), new Set<string>(), new Set<string>()];
try {
  for (const [group, cases] of Object.entries(CASES)) {
    const recorded = readRecorded(group);
    for (const each of cases) {
      if (positionals.length > 0 && !positionals.includes(each.name)) continue;
      each.calls.forEach((_, index) => void asked.add(`${each.name} ${index}`));
      for (const difference of await findDifferences(server, each, recorded.cases[each.name])) {
        const answer = `${each.name} ${difference.at.split('.')[0]}`;
        const known = explained.reasonFor(each.name, difference);
        differing.add(answer);
        if (known === undefined) unexplained.add(answer);
        if (known !== undefined && !values.all) continue;
        say(
          `${each.name} ${describeDifference(each, difference)}${known === undefined ? '' : `\n  why   ${known.why}`}`,
        );
      }
    }
  }
} finally {
  await server.dispatcher.close();
  await api.close();
}
if (positionals.length === 0) for (const where of explained.unmet()) say(`no longer differs: ${where}`);
for (const { why, answers } of explained.counted()) say(`${String(answers).padStart(5)}  ${why}`);
say(`${asked.size} answers, ${differing.size} differ, ${unexplained.size} of them unexplained`);
if (values.count && positionals.length === 0) writeKnownDifferences(explained.stillTrue());
