import { ChunkDecoder } from '../../proxy/http1/chunk-decoder.ts';
import type { Micro } from './measure.ts';

export const decodeChunks: Micro = {
  name: 'decode-chunks',
  about: 'a chunked body of four pieces of 1 KB',
  prepare: () => {
    const chunk = `400\r\n${'x'.repeat(1024)}\r\n`;
    const body = Buffer.from(`${chunk.repeat(4)}0\r\n\r\n`, 'latin1');
    const decoder = new ChunkDecoder();
    let bytes = 0;
    const sink = { bodyBytes: (_from: Buffer, start: number, end: number) => void (bytes += end - start) };
    return {
      run: () => {
        decoder.reset();
        decoder.feed(body, 0, body.length, sink);
        return bytes;
      },
    };
  },
};
