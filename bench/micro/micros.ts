import { accountRequest } from './account.ts';
import { balanceLeastRequest, balanceRoundRobin } from './balance.ts';
import { decodeChunks } from './decode-chunks.ts';
import { forwardRequest } from './forward.ts';
import { forwardGrpc } from './forward-grpc.ts';
import { hpackDecode, hpackEncode, hpackEncodeUnknown } from './hpack.ts';
import { matchRouteHeader, matchRoutePath } from './match-route.ts';
import type { Micro } from './measure.ts';
import { randomId } from './random-id.ts';
import { renderRequestHead } from './render-request.ts';
import { renderResponseHead } from './render-response.ts';
import { scanRequestHead } from './scan-request-head.ts';
import { scanResponseHead } from './scan-response-head.ts';
import { splitWeights } from './split-weights.ts';
import { timerWheel } from './timer-wheel.ts';

/** In the order in which a request meets them; the first is all of them together. */
export const MICROS: readonly Micro[] = [
  forwardRequest,
  forwardGrpc,
  scanRequestHead,
  matchRoutePath,
  matchRouteHeader,
  splitWeights,
  randomId,
  renderRequestHead,
  balanceRoundRobin,
  balanceLeastRequest,
  timerWheel,
  hpackEncode,
  hpackEncodeUnknown,
  hpackDecode,
  scanResponseHead,
  renderResponseHead,
  decodeChunks,
  accountRequest,
];
