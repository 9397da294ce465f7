import { type Der, oid, sequence, set, utf8 } from './der.ts';
import { ATTRIBUTE } from './oids.ts';

/** A subject or issuer. Kubernetes reads a client's common name as its user and the organizations as its groups. */
export interface DistinguishedName {
  readonly commonName?: string;
  readonly organizations?: readonly string[];
}

export function distinguishedName({ commonName, organizations = [] }: DistinguishedName): Der {
  const attributes: (readonly [string, string])[] = organizations.map((value) => [ATTRIBUTE.organization, value]);
  if (commonName !== undefined) attributes.push([ATTRIBUTE.commonName, commonName]);
  return sequence(...attributes.map(([id, value]) => set(sequence(oid(id), utf8(value)))));
}
