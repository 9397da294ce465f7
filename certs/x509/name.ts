import { bytesOf, type Der, itemsOf, oid, oidOf, sequence, set, utf8 } from './der.ts';
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

/** A name as pairs of attribute OID and value, in their order. Throws DerError when it is malformed. */
export function readName(name: Der | undefined): readonly (readonly [attribute: string, value: string])[] {
  return itemsOf(name, 'SEQUENCE').flatMap((relative) =>
    itemsOf(relative, 'SET').map((pair) => {
      const [attribute, value] = itemsOf(pair, 'SEQUENCE');
      return [oidOf(attribute), bytesOf(value).toString('utf8')] as const;
    }),
  );
}
