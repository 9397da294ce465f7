import { isIP } from 'node:net';
import {
  bits,
  bytesOf,
  type Der,
  DerError,
  decode,
  encode,
  isTagged,
  isTrue,
  isUniversal,
  itemsOf,
  octets,
  oid,
  oidOf,
  sequence,
  setBitsOf,
  smallInteger,
  tagged,
} from './der.ts';
import { ANY_PURPOSE, EXTENSION, PURPOSE } from './oids.ts';

/** Bits of the key usage extension, by number (RFC 5280, section 4.2.1.3), less the two that narrow keyAgreement. */
const KEY_USAGE_BITS = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
] as const;

export type KeyUsage = (typeof KEY_USAGE_BITS)[number];
export type Purpose = keyof typeof PURPOSE;

export interface AltNames {
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** IPv4 in dotted form, or IPv6 in any form. */
  readonly ipAddresses?: readonly string[];
}

function extension(id: string, value: Der, how: 'critical' | 'plain'): Der {
  const critical = how === 'critical' ? [isTrue()] : [];
  return sequence(oid(id), ...critical, octets(encode(value)));
}

/** Not a CA: an empty sequence, since FALSE is the default. */
export function leafConstraints(): Der {
  return extension(EXTENSION.basicConstraints, sequence(), 'critical');
}

/** A CA under which at most `pathLength` further CAs may stand in a chain; any number without it. */
export function authorityConstraints(pathLength: number | undefined): Der {
  const length = pathLength === undefined ? [] : [smallInteger(pathLength)];
  return extension(EXTENSION.basicConstraints, sequence(isTrue(), ...length), 'critical');
}

export function keyUsage(...usages: readonly KeyUsage[]): Der {
  let mask = 0;
  for (const usage of usages) mask |= 0x80 >> KEY_USAGE_BITS.indexOf(usage);
  // DER writes a named bit list without its trailing zero bits (X.690, section 11.2.2).
  const unused = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
  return extension(EXTENSION.keyUsage, bits(Uint8Array.of(mask), unused), 'critical');
}

export function extendedKeyUsage(...purposes: readonly Purpose[]): Der {
  return extension(EXTENSION.extendedKeyUsage, sequence(...purposes.map((purpose) => oid(PURPOSE[purpose]))), 'plain');
}

/** Critical where the subject is empty (RFC 5280, section 4.2.1.6). */
export function altNames(names: AltNames, how: 'critical' | 'plain'): Der {
  const items = [
    ...(names.uris ?? []).map((uri) => tagged(6, ascii(uri))),
    ...(names.dnsNames ?? []).map((name) => tagged(2, ascii(name))),
    ...(names.ipAddresses ?? []).map((address) => tagged(7, ipBytes(address))),
  ];
  return extension(EXTENSION.subjectAltName, sequence(...items), how);
}

export function subjectKeyId(id: Uint8Array): Der {
  return extension(EXTENSION.subjectKeyIdentifier, octets(id), 'plain');
}

export function authorityKeyId(id: Uint8Array): Der {
  return extension(EXTENSION.authorityKeyIdentifier, sequence(tagged(0, id)), 'plain');
}

function ascii(name: string): Buffer {
  if (!/^[\x21-\x7e]+$/.test(name)) throw new TypeError(`name ${JSON.stringify(name)}: is not printable ASCII`);
  return Buffer.from(name, 'latin1');
}

function ipBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  if (isIP(address) !== 6) throw new TypeError(`address "${address}": is no IP address`);
  // The URL parser writes the one canonical form, without an IPv4 tail: eight groups, the longest run of zeros as "::".
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const before = groups(head);
  const after = groups(tail ?? '');
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** What a certificate's extensions say. */
export interface Extensions {
  /** Undefined when there is no basic constraints extension. */
  readonly isAuthority: boolean | undefined;
  readonly pathLength: number | undefined;
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  /** `any` when the certificate allows every purpose. */
  readonly purposes: ReadonlySet<Purpose | 'any'> | undefined;
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  /** How many alternative names are neither URIs nor DNS names: addresses, mailboxes, directory names and others. */
  readonly otherNames: number;
  /** Every extension that is there, as OIDs. */
  readonly present: readonly string[];
  readonly subjectKeyId: string | undefined;
  readonly authorityKeyId: string | undefined;
  readonly hasNameConstraints: boolean;
  /** Critical extensions that nothing here understands, as OIDs. */
  readonly unknownCritical: readonly string[];
}

/** Reads an Extensions SEQUENCE. Throws DerError when one that is understood is malformed or comes twice. */
export function readExtensions(list: Der | undefined): Extensions {
  const found = new Map<string, { value: Buffer; critical: boolean }>();
  for (const item of list === undefined ? [] : itemsOf(list, 'SEQUENCE')) {
    const parts = itemsOf(item, 'SEQUENCE');
    const id = oidOf(parts[0]);
    if (found.has(id)) throw new DerError(`extension ${id}: comes twice`);
    const critical = isUniversal(parts[1], 'BOOLEAN');
    found.set(id, { critical, value: bytesOf(parts[critical ? 2 : 1], 'OCTETSTRING') });
  }
  const known = new Set<string>(Object.values(EXTENSION));
  const read = <T>(id: string, parse: (value: Der) => T): T | undefined => {
    const value = found.get(id)?.value;
    return value === undefined ? undefined : parse(decode(value));
  };
  const constraints = read(EXTENSION.basicConstraints, readConstraints);
  const names = read(EXTENSION.subjectAltName, readAltNames);
  return {
    isAuthority: constraints?.isAuthority,
    pathLength: constraints?.pathLength,
    keyUsage: read(EXTENSION.keyUsage, readKeyUsage),
    purposes: read(EXTENSION.extendedKeyUsage, readPurposes),
    uris: names?.uris ?? [],
    dnsNames: names?.dnsNames ?? [],
    otherNames: names?.others ?? 0,
    present: [...found.keys()],
    subjectKeyId: read(EXTENSION.subjectKeyIdentifier, (value) => bytesOf(value, 'OCTETSTRING').toString('hex')),
    authorityKeyId: read(EXTENSION.authorityKeyIdentifier, readAuthorityKeyId),
    hasNameConstraints: found.has(EXTENSION.nameConstraints),
    unknownCritical: [...found].filter(([id, { critical }]) => critical && !known.has(id)).map(([id]) => id),
  };
}

function readConstraints(value: Der): { isAuthority: boolean; pathLength: number | undefined } {
  const [first, second] = itemsOf(value, 'SEQUENCE');
  if (first === undefined) return { isAuthority: false, pathLength: undefined };
  const isAuthority = bytesOf(first, 'BOOLEAN')[0] !== 0;
  if (second === undefined) return { isAuthority, pathLength: undefined };
  const length = bytesOf(second, 'INTEGER');
  if (length.length > 4 || (length[0] ?? 0x80) >= 0x80) throw new DerError('path length: is no small number');
  return { isAuthority, pathLength: length.readUIntBE(0, length.length) };
}

function readKeyUsage(value: Der): ReadonlySet<KeyUsage> {
  const bits = setBitsOf(value);
  return new Set(KEY_USAGE_BITS.filter((_, bit) => bits.has(bit)));
}

function readPurposes(value: Der): ReadonlySet<Purpose | 'any'> {
  const ids = new Set(itemsOf(value, 'SEQUENCE').map(oidOf));
  const purposes = (['serverAuth', 'clientAuth'] as const).filter((purpose) => ids.has(PURPOSE[purpose]));
  return new Set(ids.has(ANY_PURPOSE) ? [...purposes, 'any'] : purposes);
}

function readAltNames(value: Der): { uris: string[]; dnsNames: string[]; others: number } {
  const items = itemsOf(value, 'SEQUENCE');
  const named = (tag: number): string[] =>
    items.filter((item) => isTagged(item, tag)).map((item) => bytesOf(item).toString('latin1'));
  const [uris, dnsNames] = [named(6), named(2)];
  return { uris, dnsNames, others: items.length - uris.length - dnsNames.length };
}

function readAuthorityKeyId(value: Der): string | undefined {
  const id = itemsOf(value, 'SEQUENCE').find((item) => isTagged(item, 0));
  return id === undefined ? undefined : bytesOf(id).toString('hex');
}
