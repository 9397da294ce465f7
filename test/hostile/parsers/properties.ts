import { CALLS } from './calls.ts';
import { FIELDS } from './fields.ts';
import { HTTP1 } from './http1.ts';
import { HTTP2 } from './http2.ts';
import { OPENING_PROPERTIES } from './openings.ts';
import type { Property } from './property.ts';

/** What holds of every parser of the proxy's that reads what others send. */
export const PROPERTIES: readonly Property[] = [...OPENING_PROPERTIES, ...HTTP1, ...HTTP2, ...FIELDS, ...CALLS];
