import { ResponseHead } from '../../proxy/http1/response-head.ts';
import type { Micro } from './measure.ts';
import { endOf, RESPONSE } from './sample.ts';

export const scanResponseHead: Micro = {
  name: 'scan-response-head',
  about: 'an answer of five fields: bytes to text, line, fields, framing',
  prepare: () => {
    const bytes = Buffer.from(RESPONSE, 'latin1');
    const head = new ResponseHead();
    return {
      run: () => {
        const text = bytes.toString('latin1');
        return head.scan(text, endOf(text));
      },
    };
  },
};
