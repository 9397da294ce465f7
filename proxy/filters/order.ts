import { clientCertificate } from './client-certificate.ts';
import { forwarded } from './forwarded.ts';
import type { RequestFilter } from './request-draft.ts';
import { requestId } from './request-id.ts';
import { traceContext } from './trace-context.ts';

/** What is done to each request that is forwarded, in this order; a route's own header edits come after all of them. */
export const REQUEST_FILTERS: readonly RequestFilter[] = [forwarded, requestId, traceContext, clientCertificate];
