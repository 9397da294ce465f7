import { Reader, Writer } from 'protobufjs/minimal.js';

/**
 * The X.509 messages of the SPIFFE Workload API in protobuf's wire format: SPIFFE_Workload_API.md, section 5.2, gives
 * names and numbers of the fields. Written by hand, because each sidecar loads it. Unknown fields are skipped.
 */

/** X509SVID. Certificates lie in DER one after the other. */
export interface X509Svid {
  readonly spiffeId: string;
  /** Leaf first, then intermediates. */
  readonly certificates: Uint8Array;
  /** PKCS#8. */
  readonly privateKey: Uint8Array;
  /** The roots of the id's own trust domain. */
  readonly bundle: Uint8Array;
}

/** X509SVIDResponse, without `crl` and `federated_bundles`: there are none. */
export interface X509SvidResponse {
  readonly svids: readonly X509Svid[];
}

/** X509BundlesResponse: by the SPIFFE id of the trust domain. */
export interface X509BundlesResponse {
  readonly bundles: ReadonlyMap<string, Uint8Array>;
}

// A tag is the field's number and its wire type; 2 is for whatever has a length.
const field = (number: number): number => (number << 3) | 2;

export function encodeX509SvidResponse({ svids }: X509SvidResponse): Uint8Array {
  const writer = Writer.create();
  for (const { spiffeId, certificates, privateKey, bundle } of svids) {
    writer.uint32(field(1)).fork();
    writer.uint32(field(1)).string(spiffeId).uint32(field(2)).bytes(certificates);
    writer.uint32(field(3)).bytes(privateKey).uint32(field(4)).bytes(bundle).ldelim();
  }
  return writer.finish();
}

/** Throws when the bytes are no message. */
export function decodeX509SvidResponse(bytes: Uint8Array): X509SvidResponse {
  const svids: X509Svid[] = [];
  eachField(Reader.create(bytes), (tag, reader) => {
    if (tag !== field(1)) return false;
    svids.push(decodeSvid(Reader.create(reader.bytes())));
    return true;
  });
  return { svids };
}

export function encodeX509BundlesResponse({ bundles }: X509BundlesResponse): Uint8Array {
  const writer = Writer.create();
  for (const [trustDomain, bundle] of bundles) {
    // A map is repeated pairs of key 1 and value 2.
    writer.uint32(field(2)).fork();
    writer.uint32(field(1)).string(trustDomain).uint32(field(2)).bytes(bundle).ldelim();
  }
  return writer.finish();
}

function decodeSvid(reader: Reader): X509Svid {
  let spiffeId = '';
  let certificates: Uint8Array = new Uint8Array();
  let privateKey: Uint8Array = new Uint8Array();
  let bundle: Uint8Array = new Uint8Array();
  eachField(reader, (tag) => {
    if (tag === field(1)) spiffeId = reader.string();
    else if (tag === field(2)) certificates = reader.bytes();
    else if (tag === field(3)) privateKey = reader.bytes();
    else if (tag === field(4)) bundle = reader.bytes();
    else return false;
    return true;
  });
  return { spiffeId, certificates, privateKey, bundle };
}

function eachField(reader: Reader, take: (tag: number, reader: Reader) => boolean): void {
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (!take(tag, reader)) reader.skipType(tag & 7);
  }
}
