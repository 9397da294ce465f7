import { hash, type KeyObject, randomBytes, sign } from 'node:crypto';
import {
  bits,
  type Der,
  DerError,
  decode,
  encode,
  integer,
  isTagged,
  itemsOf,
  oid,
  oidOf,
  sequence,
  smallInteger,
  time,
  wholeBitsOf,
  wrapped,
} from './der.ts';
import { type Extensions, readExtensions } from './extensions.ts';
import { ECDSA_WITH_SHA256 } from './oids.ts';

export const ECDSA_SHA256 = sequence(oid(ECDSA_WITH_SHA256));
const VERSION_3 = wrapped(0, smallInteger(2));

export interface CertificateDraft {
  readonly issuer: Der;
  readonly subject: Der;
  /** Whole seconds count; what is below is dropped. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** The subject's public key as SubjectPublicKeyInfo. */
  readonly publicKey: Der;
  readonly extensions: readonly Der[];
}

/** A version 3 certificate (RFC 5280, section 4.1) with a serial number of its own, signed with a P-256 key. */
export function signCertificate(draft: CertificateDraft, issuerKey: KeyObject): Buffer {
  const content = sequence(
    VERSION_3,
    integer(newSerial()),
    ECDSA_SHA256,
    draft.issuer,
    sequence(time(draft.notBeforeMs), time(draft.notAfterMs)),
    draft.subject,
    draft.publicKey,
    wrapped(3, sequence(...draft.extensions)),
  );
  const signature = sign('sha256', encode(content), issuerKey);
  return encode(sequence(content, ECDSA_SHA256, bits(signature)));
}

/** 126 random bits in 16 bytes: positive, never zero, and always of one length (RFC 5280, section 4.1.2.2). */
function newSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  return serial;
}

/** SHA-1 of the public key's bits (RFC 5280, section 4.2.1.2, method 1): a name for the key, no promise of security. */
export function keyIdOf(publicKey: Der): Buffer {
  return hash('sha1', wholeBitsOf(itemsOf(publicKey, 'SEQUENCE')[1]), 'buffer');
}

export interface CertificateFacts {
  /** OID of the algorithm by which it is signed. */
  readonly signatureAlgorithm: string;
  readonly extensions: Extensions;
}

/** What node:crypto's X509Certificate does not tell of a certificate. Throws DerError when it is malformed. */
export function readCertificate(der: Uint8Array): CertificateFacts {
  const [content, outer] = itemsOf(decode(der), 'SEQUENCE');
  const parts = itemsOf(content, 'SEQUENCE');
  // Version, serial number, signature algorithm …; version 1 leaves the first out, and has no extensions.
  if (!isTagged(parts[0], 0)) throw new DerError('certificate: is not of version 3');
  const signatureAlgorithm = oidOf(itemsOf(parts[2], 'SEQUENCE')[0]);
  if (oidOf(itemsOf(outer, 'SEQUENCE')[0]) !== signatureAlgorithm) {
    throw new DerError('certificate: names two signature algorithms');
  }
  const wrapper = parts.find((part) => isTagged(part, 3));
  const list = wrapper === undefined ? undefined : itemsOf(wrapper)[0];
  return { signatureAlgorithm, extensions: readExtensions(list) };
}
