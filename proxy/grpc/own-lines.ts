import type { CallKind } from './call-kind.ts';

const TYPES: Readonly<Record<Exclude<CallKind, 'none'>, string>> = {
  grpc: 'application/grpc',
  web: 'application/grpc-web+proto',
  'web-text': 'application/grpc-web-text+proto',
};

/**
 * The fields of a call's answer that is nothing but its status: gRPC's Trailers-Only form, which gRPC-Web's clients read as well.
 * Lines with their CRLF; the HTTP status is 200.
 */
export function grpcOwnLines(kind: Exclude<CallKind, 'none'>, grpcStatus: number, message: string): string {
  const text = message === '' ? '' : `grpc-message: ${percentEncoded(message)}\r\n`;
  return `content-type: ${TYPES[kind]}\r\ngrpc-status: ${grpcStatus}\r\n${text}`;
}

/** gRPC's PROTOCOL-HTTP2.md: all but the visible ASCII characters and space, and the percent sign, as UTF-8 bytes. */
function percentEncoded(text: string): string {
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    out += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}
