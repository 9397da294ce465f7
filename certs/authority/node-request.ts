import { hash } from 'node:crypto';
import { type Der, encode } from '../x509/der.ts';
import type { Extensions } from '../x509/extensions.ts';
import { ATTRIBUTE, EXTENSION } from '../x509/oids.ts';
import { readRequest } from '../x509/request.ts';
import { IssueRefusedError } from './refusal.ts';

/** Who a node is: to the API server by subject, as a kubelet is, and to the mesh by SPIFFE id. */
export interface NodeIdentity {
  readonly user: string;
  readonly group: string;
  readonly spiffeId: string;
}

export interface NodeKey {
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Der;
  /** SHA-256 of it, in hex: tells one key from another. */
  readonly keyHash: string;
}

/** What a client may say of itself in a request; anything else asks for more than a node is. */
const ALLOWED: readonly string[] = [
  EXTENSION.subjectAltName,
  EXTENSION.basicConstraints,
  EXTENSION.keyUsage,
  EXTENSION.extendedKeyUsage,
  EXTENSION.subjectKeyIdentifier,
];

/**
 * The key of a node's request. A request may repeat who the node is and say no more: no other subject, name or power,
 * because whoever asks for one is mistaken or an attacker. A host's name or address is never granted: with one, a node could
 * stand in for the API server. Throws IssueRefusedError.
 */
export function keyOfNodeRequest(csrPem: string, identity: NodeIdentity): NodeKey {
  const reading = readRequest(csrPem);
  if (!reading.ok) throw new IssueRefusedError(reading.problem, reading.detail);
  const { subject, extensions, publicKeyInfo } = reading;
  refuseOtherSubject(subject, identity);
  refuseOtherNames(extensions, identity);
  refusePowers(extensions);
  return { publicKey: publicKeyInfo, keyHash: hash('sha256', encode(publicKeyInfo), 'hex') };
}

function refuseOtherSubject(subject: readonly (readonly [string, string])[], { user, group }: NodeIdentity): void {
  const own = new Map<string, string>([
    [ATTRIBUTE.commonName, user],
    [ATTRIBUTE.organization, group],
  ]);
  const other = subject.find(([attribute, value]) => own.get(attribute) !== value);
  if (other === undefined) return;
  const [attribute, value] = other;
  const name = attribute === ATTRIBUTE.commonName ? 'CN' : attribute === ATTRIBUTE.organization ? 'O' : attribute;
  throw new IssueRefusedError(
    'wrong-identity',
    `certificate request: its subject has ${name}=${JSON.stringify(value.slice(0, 256))}, its sender is CN="${user}", O="${group}"`,
  );
}

function refuseOtherNames({ uris, dnsNames, otherNames }: Extensions, { spiffeId }: NodeIdentity): void {
  const other = [...uris.filter((uri) => uri !== spiffeId), ...dnsNames][0];
  if (other === undefined && otherNames === 0) return;
  const what = other === undefined ? 'an address or another kind of name' : JSON.stringify(other.slice(0, 256));
  throw new IssueRefusedError(
    'wrong-identity',
    `certificate request: asks for ${what}; a node has no name but "${spiffeId}"`,
  );
}

function refusePowers({ isAuthority, keyUsage, purposes, present }: Extensions): void {
  const asked =
    isAuthority === true || keyUsage?.has('keyCertSign') === true || keyUsage?.has('cRLSign') === true
      ? 'to be a certificate authority'
      : purposes?.has('any') === true
        ? 'to be good for any purpose'
        : present.filter((id) => !ALLOWED.includes(id)).map((id) => `extension ${id}`)[0];
  if (asked === undefined) return;
  throw new IssueRefusedError('too-much', `certificate request: asks ${asked}; a node's certificate is a plain leaf`);
}
