import { renderResponse } from '../../proxy/http1/render-response.ts';
import { ResponseHead } from '../../proxy/http1/response-head.ts';
import { scanText } from '../../proxy/test-support/scan-text.ts';
import type { Micro } from './measure.ts';
import { RESPONSE } from './sample.ts';

export const renderResponseHead: Micro = {
  name: 'render-response',
  about: 'the head for the client',
  prepare: () => {
    const head = new ResponseHead();
    scanText(head, RESPONSE);
    return { run: () => renderResponse(head, { framing: 'length', connection: '' }, undefined) };
  },
};
