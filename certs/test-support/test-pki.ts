/** Certificates for tests, sound unless told otherwise. Keys are made at run time. */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { keyIdOf, signCertificate } from '../x509/certificate.ts';
import { bits, type Der, decode, encode, itemsOf, oid, sequence } from '../x509/der.ts';
import {
  type AltNames,
  altNames,
  authorityConstraints,
  authorityKeyId,
  extendedKeyUsage,
  type KeyUsage,
  keyUsage,
  leafConstraints,
  type Purpose,
  subjectKeyId,
} from '../x509/extensions.ts';
import { distinguishedName } from '../x509/name.ts';
import { toPem } from '../x509/pem.ts';

export const DAY_MS = 86_400_000;

export interface TestCertificate {
  readonly der: Buffer;
  readonly pem: string;
  readonly key: KeyObject;
  readonly keyPem: string;
  readonly name: string;
}

export interface TestDraft {
  readonly name: string;
  /** Itself unless told. */
  readonly issuer?: TestCertificate;
  readonly names?: AltNames;
  readonly nowMs: number;
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  readonly authority?: { readonly pathLength?: number };
  readonly usages?: readonly KeyUsage[];
  readonly purposes?: readonly Purpose[];
  readonly extra?: readonly Der[];
  /** Signs with this key in the issuer's name. */
  readonly forgedWith?: KeyObject;
}

export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

export function makeCertificate(draft: TestDraft): TestCertificate {
  const key = newKey();
  const publicKey = publicKeyInfo(key);
  const { issuer, nowMs, authority } = draft;
  const usages = draft.usages ?? (authority === undefined ? ['digitalSignature'] : ['keyCertSign', 'cRLSign']);
  const extensions = [
    authority === undefined ? leafConstraints() : authorityConstraints(authority.pathLength),
    keyUsage(...usages),
    ...(draft.purposes === undefined ? [] : [extendedKeyUsage(...draft.purposes)]),
    ...(draft.names === undefined ? [] : [altNames(draft.names, 'plain')]),
    subjectKeyId(keyIdOf(publicKey)),
    authorityKeyId(keyIdOf(publicKeyInfo(issuer?.key ?? key))),
    ...(draft.extra ?? []),
  ];
  const der = signCertificate(
    {
      issuer: distinguishedName({ commonName: issuer?.name ?? draft.name }),
      subject: distinguishedName({ commonName: draft.name }),
      notBeforeMs: draft.notBeforeMs ?? nowMs - DAY_MS,
      notAfterMs: draft.notAfterMs ?? nowMs + DAY_MS,
      publicKey,
      extensions,
    },
    draft.forgedWith ?? issuer?.key ?? key,
  );
  return {
    der,
    pem: toPem('CERTIFICATE', der),
    key,
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }),
    name: draft.name,
  };
}

/** A root of a trust domain. */
export function makeRoot(trustDomain: string, nowMs: number): TestCertificate {
  return makeCertificate({
    name: `root of ${trustDomain}`,
    nowMs,
    notAfterMs: nowMs + 3650 * DAY_MS,
    notBeforeMs: nowMs - 3650 * DAY_MS,
    authority: {},
    names: { uris: [`spiffe://${trustDomain}`] },
  });
}

/** The same certificate, signed by another algorithm. */
export function signAnew(der: Uint8Array, issuerKey: KeyObject, algorithm: { oid: string; hash: string }): Buffer {
  const [content] = itemsOf(decode(der), 'SEQUENCE');
  const parts = [...itemsOf(content, 'SEQUENCE')];
  const identifier = sequence(oid(algorithm.oid));
  parts[2] = identifier;
  const changed = sequence(...parts);
  return encode(sequence(changed, identifier, bits(sign(algorithm.hash, encode(changed), issuerKey))));
}

function publicKeyInfo(key: KeyObject): Der {
  return decode(createPublicKey(key).export({ type: 'spki', format: 'der' }));
}
