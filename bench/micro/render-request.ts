import { REQUEST_FILTERS } from '../../proxy/filters/order.ts';
import { type Downstream, RequestDraft } from '../../proxy/filters/request-draft.ts';
import { renderRequest } from '../../proxy/http1/render-request.ts';
import { RequestHead } from '../../proxy/http1/request-head.ts';
import { scanText } from '../../proxy/test-support/scan-text.ts';
import type { Micro } from './measure.ts';
import { REQUEST } from './sample.ts';

const FROM: Downstream = {
  direction: 'ingress',
  scheme: 'http',
  peerAddress: '10.0.0.1',
  peerId: '',
  ownId: '',
  trustForwarded: false,
  listenerPort: 80,
};

export const renderRequestHead: Micro = {
  name: 'render-request',
  about: 'every filter (forwarded, request id, trace), and the head for the upstream',
  prepare: () => {
    const head = new RequestHead();
    scanText(head, REQUEST);
    return {
      run: () => {
        const draft = new RequestDraft(head, FROM);
        for (const filter of REQUEST_FILTERS) filter(draft);
        return renderRequest(draft, { target: head.target, host: undefined, upgrade: '' }, undefined);
      },
    };
  },
};
