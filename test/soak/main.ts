// npm run soak [-- --minutes 10] [-o json]: the soak of soak.test.ts for longer, with its figures.
import { parseArgs } from 'node:util';
import { type ProxyReport, soak } from './soak.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, output: { type: 'string', short: 'o' } },
});
const minutes = Number(values.minutes);
if (!(minutes > 0) || (values.output !== undefined && values.output !== 'json')) {
  console.error('usage: npm run soak [-- --minutes 10] [-o json]');
  process.exit(2);
}
const report = await soak(minutes * 60, (line) => console.error(line));
const { get, posts, slowReaders, slowWriters, conversations, churns, rotations, proxies } = report;
if (values.output === 'json') {
  console.log(JSON.stringify(report, null, 2));
} else {
  const line = ({ name, rssMb, growthMbPerMinute, descriptorsBefore, descriptorsAfter }: ProxyReport): string =>
    `${name.padEnd(10)} ${rssMb} MB, ${growthMbPerMinute} MB a minute in the second half; ${descriptorsBefore} descriptors before, ${descriptorsAfter} after`;
  console.log(
    [
      `GET            ${get.sent} sent, ${get.failed} failed, p99 ${get.p99Ms} ms (${get.detail})`,
      `POST           ${posts.sent} sent, ${posts.failed} failed, of those ${posts.saveable.length} could have been saved; ${posts.repeated.length} seen twice`,
      ...Object.entries({ 'slow readers': slowReaders, 'slow writers': slowWriters, conversations }).map(
        ([name, { done, failed }]) =>
          `${name.padEnd(14)} ${done} done, ${failed.length} failed ${failed.slice(0, 3).join('; ')}`,
      ),
      `meanwhile      ${churns} changes of scale, ${rotations} rotations of every certificate`,
      ...proxies.map(line),
    ].join('\n'),
  );
}
const lost = [slowReaders, slowWriters, conversations].flatMap(({ failed }) => failed);
const isClean = get.failed + posts.saveable.length + posts.repeated.length + lost.length === 0;
const isLeaking = proxies.some((proxy) => proxy.descriptorsAfter > proxy.descriptorsBefore);
process.exitCode = isClean && !isLeaking ? 0 : 1;
