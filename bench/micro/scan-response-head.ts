import { ResponseHead } from '../../proxy/http1/response-head.ts';
import type { Micro } from './measure.ts';
import { RESPONSE } from './sample.ts';

export const scanResponseHead: Micro = {
  name: 'scan-response-head',
  about: 'an answer of five fields: line, fields, framing',
  prepare: () => {
    const bytes = Buffer.from(RESPONSE, 'latin1');
    const head = new ResponseHead();
    return {
      run: () => {
        return head.scan(bytes, 0, bytes.length);
      },
    };
  },
};
