import { fromPem, type PemLabel, toPem } from '../../x509/pem.ts';

/** Certificates in DER one after the other, as the Workload API carries them, from PEM. */
export function derListOf(pem: string): Buffer {
  return Buffer.concat(fromPem('CERTIFICATE', pem));
}

/** The PKCS#8 key in a PEM text. Throws when there is none. */
export function keyDerOf(pem: string): Buffer {
  const [der] = fromPem('PRIVATE KEY', pem);
  if (der === undefined) throw new Error('private key: is not PKCS#8 in PEM');
  return der;
}

/** PEM for elements in DER one after the other. Throws when a length does not fit. */
export function pemOfDerList(label: PemLabel, list: Uint8Array): string {
  let pem = '';
  for (let at = 0; at < list.length; ) {
    const end = at + elementLength(list, at);
    pem += toPem(label, list.subarray(at, end));
    at = end;
  }
  return pem;
}

const SEQUENCE = 0x30;
/** Longer lengths than four bytes belong to nothing that fits into a message. */
const MAX_LENGTH_BYTES = 4;

/** Tag, length and content of the SEQUENCE at a place (X.690, section 8.1.3). */
function elementLength(list: Uint8Array, at: number): number {
  const first = list[at + 1];
  if (list[at] !== SEQUENCE || first === undefined) throw new Error(`list of DER elements: none begins at byte ${at}`);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > MAX_LENGTH_BYTES)
    throw new Error(`list of DER elements: bad length at byte ${at}`);
  let length = lengthBytes === 0 ? first : 0;
  for (let index = 0; index < lengthBytes; index++) length = length * 256 + (list[at + 2 + index] ?? 0);
  const total = 2 + lengthBytes + length;
  if (at + total > list.length) throw new Error(`list of DER elements: the one at byte ${at} is cut short`);
  return total;
}
