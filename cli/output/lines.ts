// A watch event carries one object, and objects end at 1.5 MB (etcd's limit, which Kubernetes keeps).
const LONGEST_LINE_BYTES = 4 * 1024 * 1024;

/** Cuts a byte stream into lines without their ends. The last line counts even when nothing ends it. */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    let start = 0;
    for (let end = pending.indexOf(10, start); end >= 0; end = pending.indexOf(10, start)) {
      yield pending.toString('utf8', start, end);
      start = end + 1;
    }
    pending = pending.subarray(start);
    if (pending.length > LONGEST_LINE_BYTES) throw new Error(`line: longer than ${LONGEST_LINE_BYTES} bytes`);
  }
  if (pending.length > 0) yield pending.toString('utf8');
}
