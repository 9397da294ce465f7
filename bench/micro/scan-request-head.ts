import { RequestHead } from '../../proxy/http1/request-head.ts';
import type { Micro } from './measure.ts';
import { endOf, REQUEST } from './sample.ts';

export const scanRequestHead: Micro = {
  name: 'scan-request-head',
  about: 'a request of eight fields: bytes to text, line, fields, host, framing',
  prepare: () => {
    const bytes = Buffer.from(REQUEST, 'latin1');
    const head = new RequestHead();
    return {
      run: () => {
        const text = bytes.toString('latin1');
        return head.scan(text, endOf(text));
      },
    };
  },
};
