import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { ECDSA_SHA256 } from './certificate.ts';
import {
  bits,
  type Der,
  DerError,
  decode,
  encode,
  isTagged,
  itemsOf,
  oid,
  oidOf,
  sequence,
  set,
  smallInteger,
  wholeBitsOf,
  wrapped,
} from './der.ts';
import { altNames, type Extensions, readExtensions } from './extensions.ts';
import { distinguishedName, readName } from './name.ts';
import { EXTENSION_REQUEST, SIGNATURE_HASHES } from './oids.ts';
import { fromPem, toPem } from './pem.ts';

/** Largest request taken, in characters of PEM: one for a P-256 key with a name of 2,048 characters has about 3,300. */
export const MAX_REQUEST_LENGTH = 8192;

/** A PKCS#10 request (RFC 2986) for a URI name, signed with the key it asks for: that proves possession. */
export function createRequest(uri: string, privateKey: KeyObject): string {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const names = altNames({ uris: [uri] }, 'critical');
  const content = sequence(
    smallInteger(0),
    distinguishedName({}),
    decode(publicKey),
    wrapped(0, sequence(oid(EXTENSION_REQUEST), set(sequence(names)))),
  );
  const signature = sign('sha256', encode(content), privateKey);
  return toPem('CERTIFICATE REQUEST', encode(sequence(content, ECDSA_SHA256, bits(signature))));
}

export type RequestProblem = 'too-large' | 'malformed' | 'unsupported-key' | 'bad-signature';

export type RequestReading =
  | {
      readonly ok: true;
      readonly publicKey: KeyObject;
      /** The same as it stands in the request: writing it anew costs more than a signature. */
      readonly publicKeyInfo: Der;
      /** Pairs of attribute OID and value. */
      readonly subject: readonly (readonly [attribute: string, value: string])[];
      readonly extensions: Extensions;
    }
  | { readonly ok: false; readonly problem: RequestProblem; readonly detail: string };

/** Reads a request and checks that its sender has the key. What it asks to be called is only told, not granted. */
export function readRequest(pem: string): RequestReading {
  if (pem.length > MAX_REQUEST_LENGTH) {
    return refused('too-large', `${pem.length} characters, at most ${MAX_REQUEST_LENGTH} are taken`);
  }
  const [der, ...others] = fromPem('CERTIFICATE REQUEST', pem);
  if (der === undefined || others.length > 0)
    return refused('malformed', 'one PEM block "CERTIFICATE REQUEST" is wanted');
  try {
    return readDer(der);
  } catch (error) {
    if (error instanceof DerError) return refused('malformed', error.message);
    throw error;
  }
}

function readDer(der: Buffer): RequestReading {
  const [content, algorithm, signature] = itemsOf(decode(der), 'SEQUENCE');
  const [, subject, publicKeyInfo, attributes] = itemsOf(content, 'SEQUENCE');
  if (content === undefined || publicKeyInfo === undefined) throw new DerError('request: is not a PKCS#10 request');
  const publicKey = supportedKey(publicKeyInfo);
  if (publicKey === undefined)
    return refused('unsupported-key', 'a key on P-256 or P-384, its point not compressed, is wanted');
  const hash = SIGNATURE_HASHES.get(oidOf(itemsOf(algorithm, 'SEQUENCE')[0]));
  if (hash === undefined || !verify(hash, encode(content), publicKey, wholeBitsOf(signature))) {
    return refused('bad-signature', 'it is not signed with the key that it asks for');
  }
  return {
    ok: true,
    publicKey,
    publicKeyInfo,
    subject: readName(subject),
    extensions: readExtensions(requestedExtensions(attributes)),
  };
}

function supportedKey(publicKeyInfo: Der): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: encode(publicKeyInfo), format: 'der', type: 'spki' });
    return isSupportedKey(key) && isUncompressed(publicKeyInfo) ? key : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 5480, section 2.2: the form that every implementation reads. */
function isUncompressed(publicKeyInfo: Der): boolean {
  return wholeBitsOf(itemsOf(publicKeyInfo, 'SEQUENCE')[1])[0] === 4;
}

/** Whether certificates are given for keys of this kind. */
export function isSupportedKey(key: KeyObject): boolean {
  const curve = key.asymmetricKeyType === 'ec' ? key.asymmetricKeyDetails?.namedCurve : undefined;
  return curve === 'prime256v1' || curve === 'secp384r1';
}

function requestedExtensions(attributes: Der | undefined): Der | undefined {
  if (!isTagged(attributes, 0)) return undefined;
  for (const attribute of itemsOf(attributes)) {
    const [id, values] = itemsOf(attribute, 'SEQUENCE');
    if (oidOf(id) === EXTENSION_REQUEST) return itemsOf(values, 'SET')[0];
  }
  return undefined;
}

function refused(problem: RequestProblem, detail: string): RequestReading {
  return { ok: false, problem, detail: `certificate request: ${detail}` };
}
