import { renderResponse } from '../../proxy/http1/render-response.ts';
import { ResponseHead } from '../../proxy/http1/response-head.ts';
import type { Micro } from './measure.ts';
import { endOf, RESPONSE } from './sample.ts';

export const renderResponseHead: Micro = {
  name: 'render-response',
  about: 'the head for the client',
  prepare: () => {
    const head = new ResponseHead();
    head.scan(RESPONSE, endOf(RESPONSE));
    return { run: () => renderResponse(head, { framing: 'length', connection: '' }, undefined) };
  },
};
