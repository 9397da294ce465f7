import { RequestHead } from '../../proxy/http1/request-head.ts';
import type { Micro } from './measure.ts';
import { REQUEST } from './sample.ts';

export const scanRequestHead: Micro = {
  name: 'scan-request-head',
  about: 'a request of eight fields: line, fields, host, framing',
  prepare: () => {
    const bytes = Buffer.from(REQUEST, 'latin1');
    const head = new RequestHead();
    return {
      run: () => {
        return head.scan(bytes, 0, bytes.length);
      },
    };
  },
};
