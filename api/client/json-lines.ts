import { ApiError } from '../meta/api-error.ts';

/** One watch event may be as long as this; an object of 1 MiB with its escapes fits. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** The JSON values of a stream with one on each line, as a watch sends them. A torn last line is dropped. */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
      const line = rest.slice(from, end);
      from = end + 1;
      if (line.trim() !== '') yield JSON.parse(line) as unknown;
    }
    rest = rest.slice(from);
    if (rest.length > MAX_LINE_BYTES) throw ApiError.internal(`watch: an event is longer than ${MAX_LINE_BYTES} bytes`);
  }
}
