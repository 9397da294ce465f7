// The whole of node-forge takes 70 ms and 14 MB to load, its ASN.1 codec alone a tenth of the time and half of the memory. Its
// published types name only the whole, and only the boolean form of fromDer's second argument.
declare module 'node-forge/lib/asn1.js' {
  interface Asn1 {
    readonly tagClass: number;
    readonly type: number;
    readonly constructed: boolean;
    /** Bytes as a string of code units below 256, or the nodes inside. */
    readonly value: string | readonly Asn1[];
  }
  interface ByteBuffer {
    getBytes(): string;
  }
  interface FromDerOptions {
    readonly strict: boolean;
    readonly parseAllBytes: boolean;
    /** Whether a BIT STRING's content is parsed as well. */
    readonly decodeBitStrings: boolean;
    readonly maxDepth: number;
  }
  const asn1: {
    readonly Class: Readonly<Record<'UNIVERSAL' | 'CONTEXT_SPECIFIC', number>>;
    readonly Type: Readonly<
      Record<
        | 'BOOLEAN'
        | 'INTEGER'
        | 'BITSTRING'
        | 'OCTETSTRING'
        | 'OID'
        | 'UTF8'
        | 'SEQUENCE'
        | 'SET'
        | 'UTCTIME'
        | 'GENERALIZEDTIME',
        number
      >
    >;
    create(tagClass: number, type: number, constructed: boolean, value: string | Asn1[]): Asn1;
    fromDer(bytes: string, options: FromDerOptions): Asn1;
    toDer(node: Asn1): ByteBuffer;
    oidToDer(dotted: string): ByteBuffer;
    derToOid(bytes: string): string;
  };
  export default asn1;
  export type { Asn1 };
}
