/** Object identifiers, by the document that assigns them. */

/** RFC 5280, section 4.2, and RFC 2985 for the request's attribute. */
export const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

export const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

/** X.520. */
export const ATTRIBUTE = { commonName: '2.5.4.3', organization: '2.5.4.10' } as const;

/** RFC 5280, section 4.2.1.12. */
export const PURPOSE = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const;
export const ANY_PURPOSE = '2.5.29.37.0';

/** Signature algorithms that are accepted, with node:crypto's name of the hash (RFC 5758, RFC 4055, RFC 8410). */
export const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
export const SIGNATURE_HASHES: ReadonlyMap<string, string | undefined> = new Map([
  [ECDSA_WITH_SHA256, 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.3.101.112', undefined],
]);
