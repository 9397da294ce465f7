/**
 * DER, written and read through node-forge's ASN.1 codec. Nothing but the codec is used of that library: keys, signatures
 * and verification are node:crypto's.
 */
import asn1, { type Asn1 } from 'node-forge/lib/asn1.js';

const { Class, Type } = asn1;

/** A node of an ASN.1 tree. Immutable by convention: parts that never change are built once and shared. */
export type Der = Asn1;

/** What is read is not what was expected. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

export function encode(node: Der): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
}

/** Nested deeper than any certificate or request. */
const MAX_DEPTH = 32;

/** Reads one whole DER value. Throws {@link DerError} for anything else, also for BER that is not DER. */
export function decode(bytes: Uint8Array): Der {
  const options = { strict: true, parseAllBytes: true, decodeBitStrings: false, maxDepth: MAX_DEPTH };
  let node: Der;
  try {
    node = asn1.fromDer(text(bytes), options);
  } catch (error) {
    throw new DerError('value: is not DER', { cause: error });
  }
  if (!encode(node).equals(bytes)) throw new DerError('value: is not in the one form that DER allows');
  return node;
}

export function sequence(...items: readonly Der[]): Der {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [...items]);
}

export function set(...items: readonly Der[]): Der {
  return asn1.create(Class.UNIVERSAL, Type.SET, true, [...items]);
}

export function oid(dotted: string): Der {
  return asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(dotted).getBytes());
}

/** An integer from 0 to 127. */
export function smallInteger(value: number): Der {
  return asn1.create(Class.UNIVERSAL, Type.INTEGER, false, String.fromCharCode(value));
}

/** A large integer from its two's complement, most significant byte first. */
export function integer(bytes: Uint8Array): Der {
  return asn1.create(Class.UNIVERSAL, Type.INTEGER, false, text(bytes));
}

/** DER leaves FALSE, everywhere a default here, out; so there is only TRUE to write. */
export function isTrue(): Der {
  return asn1.create(Class.UNIVERSAL, Type.BOOLEAN, false, '\xff');
}

export function octets(bytes: Uint8Array): Der {
  return asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, text(bytes));
}

export function bits(bytes: Uint8Array, unusedBits = 0): Der {
  return asn1.create(Class.UNIVERSAL, Type.BITSTRING, false, String.fromCharCode(unusedBits) + text(bytes));
}

export function utf8(value: string): Der {
  return asn1.create(Class.UNIVERSAL, Type.UTF8, false, text(Buffer.from(value)));
}

/** RFC 5280, section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. Whole seconds. */
export function time(atMs: number): Der {
  const digits = new Date(atMs).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '');
  const long = digits >= '2050';
  return asn1.create(
    Class.UNIVERSAL,
    long ? Type.GENERALIZEDTIME : Type.UTCTIME,
    false,
    `${long ? digits : digits.slice(2)}Z`,
  );
}

/** A context-specific tag around bytes (primitive). */
export function tagged(tag: number, bytes: Uint8Array): Der {
  return asn1.create(Class.CONTEXT_SPECIFIC, tag, false, text(bytes));
}

/** A context-specific tag around other nodes (constructed). */
export function wrapped(tag: number, ...items: readonly Der[]): Der {
  return asn1.create(Class.CONTEXT_SPECIFIC, tag, true, [...items]);
}

type Universal =
  | 'SEQUENCE'
  | 'SET'
  | 'OID'
  | 'INTEGER'
  | 'BOOLEAN'
  | 'OCTETSTRING'
  | 'BITSTRING'
  | 'UTCTIME'
  | 'GENERALIZEDTIME';

export function isUniversal(node: Der | undefined, type: Universal): node is Der {
  return node?.tagClass === Class.UNIVERSAL && node.type === Type[type];
}

export function isTagged(node: Der | undefined, tag: number): node is Der {
  return node?.tagClass === Class.CONTEXT_SPECIFIC && node.type === tag;
}

/** The nodes inside a SEQUENCE, a SET or, without a type, a constructed tag. */
export function itemsOf(node: Der | undefined, type?: 'SEQUENCE' | 'SET'): readonly Der[] {
  const fits = type === undefined ? node?.tagClass === Class.CONTEXT_SPECIFIC : isUniversal(node, type);
  if (!fits || !Array.isArray(node?.value)) throw new DerError(`value: is no ${type ?? 'constructed tag'}`);
  return node.value;
}

/** The bytes of a primitive node. */
export function bytesOf(node: Der | undefined, type?: Universal): Buffer {
  if (node === undefined || typeof node.value !== 'string' || (type !== undefined && !isUniversal(node, type))) {
    throw new DerError(`value: is no ${type ?? 'primitive'}`);
  }
  return Buffer.from(node.value, 'latin1');
}

export function oidOf(node: Der | undefined): string {
  const bytes = bytesOf(node, 'OID');
  if (bytes.length === 0) throw new DerError('value: is an empty OID');
  return asn1.derToOid(text(bytes));
}

/** The bytes of a BIT STRING whose length is whole bytes. */
export function wholeBitsOf(node: Der | undefined): Buffer {
  const bytes = bytesOf(node, 'BITSTRING');
  if (bytes[0] !== 0) throw new DerError('value: is no BIT STRING of whole bytes');
  return bytes.subarray(1);
}

/** Numbers of the bits that are set, the first bit being 0. */
export function setBitsOf(node: Der | undefined): ReadonlySet<number> {
  const bytes = bytesOf(node, 'BITSTRING').subarray(1);
  const found = new Set<number>();
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    if (((bytes[bit >> 3] as number) & (0x80 >> (bit & 7))) !== 0) found.add(bit);
  }
  return found;
}
