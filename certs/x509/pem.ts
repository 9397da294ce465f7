/** RFC 7468 text around DER. */

export type PemLabel = 'CERTIFICATE' | 'CERTIFICATE REQUEST' | 'PRIVATE KEY';

export function toPem(label: PemLabel, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.length).toString('base64');
  let lines = '';
  for (let at = 0; at < base64.length; at += 64) lines += `${base64.slice(at, at + 64)}\n`;
  return `-----BEGIN ${label}-----\n${lines}-----END ${label}-----\n`;
}

/** Every block of a label in a text, in order. Text between blocks is passed over, as the RFC allows. */
export function fromPem(label: PemLabel, text: string): Buffer[] {
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const blocks: Buffer[] = [];
  for (let from = text.indexOf(begin); from >= 0; ) {
    const to = text.indexOf(end, from);
    if (to < 0) break;
    blocks.push(Buffer.from(text.slice(from + begin.length, to), 'base64'));
    from = text.indexOf(begin, to);
  }
  return blocks;
}
