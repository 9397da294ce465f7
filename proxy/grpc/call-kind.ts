import { CONTENT_TYPE } from '../http1/field-kind.ts';
import type { HeadFields } from '../http1/head-fields.ts';

/** How a request speaks gRPC: over HTTP's own trailers, or as gRPC-Web with them in the body, in binary or as base64 text. */
export type CallKind = 'none' | 'grpc' | 'web' | 'web-text';

const GRPC = 'application/grpc';
const WEB_TEXT = '-web-text';
const WEB = '-web';

/** gRPC's PROTOCOL-HTTP2.md and PROTOCOL-WEB.md: told by the content type alone, whatever serialisation it names behind a `+`. */
export function callKind(fields: HeadFields): CallKind {
  const type = fields.valueOf(CONTENT_TYPE);
  return type === undefined || type.length < GRPC.length ? 'none' : kindOfType(type);
}

/** What a content type says a call, or its answer, is. */
export function kindOfType(contentType: string): CallKind {
  // What nearly all say.
  if (contentType === GRPC) return 'grpc';
  const type = contentType.toLowerCase();
  if (!type.startsWith(GRPC)) return 'none';
  const rest = type.slice(GRPC.length);
  if (endsType(rest)) return 'grpc';
  if (rest.startsWith(WEB_TEXT) && endsType(rest.slice(WEB_TEXT.length))) return 'web-text';
  return rest.startsWith(WEB) && endsType(rest.slice(WEB.length)) ? 'web' : 'none';
}

/** `application/grpcfoo` is another type. */
function endsType(rest: string): boolean {
  return rest === '' || rest.startsWith('+') || rest.startsWith(';') || rest.startsWith(' ');
}
