import { HpackDecoder } from '../../proxy/http2/hpack/decoder.ts';
import { encodeRequest } from '../../proxy/http2/render.ts';
import type { Micro } from './measure.ts';
import { REQUEST } from './sample.ts';

const SHAPE = { scheme: 'https', acceptsTrailers: false, protocol: '' } as const;

export const hpackEncode: Micro = {
  name: 'hpack-encode',
  about: 'an HTTP/1.1 head of eight fields as a header block; all but one have come before',
  prepare: () => ({ run: () => encodeRequest(REQUEST, SHAPE) }),
};

export const hpackEncodeUnknown: Micro = {
  name: 'hpack-encode-unknown',
  about: 'the same of a head whose fields have not come before',
  prepare: () => {
    let count = 0;
    return { run: () => encodeRequest(REQUEST.replace('Host: ', `X-Count: ${count++}\r\nHost: `), SHAPE) };
  },
};

export const hpackDecode: Micro = {
  name: 'hpack-decode',
  about: 'that block, read',
  prepare: () => {
    const block = Buffer.from(encodeRequest(REQUEST, SHAPE), 'latin1');
    const decoder = new HpackDecoder(4096);
    let fields = 0;
    const sink = { field: () => void fields++ };
    return { run: () => decoder.decode(block, 0, block.length, sink) && fields };
  },
};
