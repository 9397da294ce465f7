import { DiscoveryRequest } from '../../xds/messages.js';

/** What of a request anything follows from. Versions are the peer's words for what it has, and nonces say it better (envoy#14841). */
export type SotwEnvelope = Pick<
  DiscoveryRequest,
  'node' | 'typeUrl' | 'resourceNames' | 'responseNonce' | 'errorDetail'
>;

/** The names of one type, and the bytes in which they came. */
interface Names {
  readonly typeUrl: string;
  readonly typeBytes: Buffer;
  readonly names: readonly string[];
  readonly nameBytes: Buffer;
}

/** Where something stands in a request; empty where it is not there. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** Where a request that is like most has what it has. */
interface Layout {
  readonly type: Range;
  readonly names: Range;
  readonly nonce: Range;
}

// Of types that we do not serve nothing needs to be quick.
const MAX_TYPES = 8;

/**
 * Reads the requests of one state-of-the-world stream. Each ACK repeats all the names that are wanted, byte for byte: what is as it was is not
 * read again, and is the same list as before. Without this, of a thousand proxies' ACKs the names are all that there is to read.
 */
export class SotwRequests {
  readonly #known: Names[] = [];

  /** Throws on what is no DiscoveryRequest. */
  read(bytes: Buffer): SotwEnvelope {
    const layout = layoutOf(bytes);
    if (layout === undefined) return DiscoveryRequest.decode(bytes);
    const { type, names, nonce } = layout;
    const at = this.#known.findIndex(({ typeBytes }) => same(bytes, type, typeBytes));
    const known = this.#known[at];
    if (known !== undefined && same(bytes, names, known.nameBytes)) {
      const responseNonce = bytes.toString('latin1', nonce.start, nonce.end);
      return { node: null, typeUrl: known.typeUrl, resourceNames: known.names, responseNonce, errorDetail: null };
    }
    const request = DiscoveryRequest.decode(bytes);
    if (known === undefined && this.#known.length === MAX_TYPES) return request;
    const { typeUrl, resourceNames } = request;
    // Copies of their own: the bytes are part of whatever else came with them, and would keep all of it.
    const seen = { typeUrl, typeBytes: copyOf(bytes, type), names: resourceNames, nameBytes: copyOf(bytes, names) };
    this.#known.splice(known === undefined ? this.#known.length : at, 1, seen);
    return request;
  }
}

// envoy.service.discovery.v3.DiscoveryRequest: tags of its fields that are length-delimited.
const VERSION_INFO = 0x0a;
const RESOURCE_NAMES = 0x1a;
const TYPE_URL = 0x22;
const RESPONSE_NONCE = 0x2a;

const NOWHERE: Range = { start: 0, end: 0 };

/**
 * Undefined for what is to be read field by field: a first request, which has a node, a NACK, names in several places, a field twice, and
 * whatever is no request.
 */
function layoutOf(bytes: Buffer): Layout | undefined {
  let [type, nonce]: [Range | undefined, Range | undefined] = [undefined, undefined];
  let [namesStart, namesEnd] = [-1, -1];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number;
    let start = at + 1;
    let length = bytes[start++] ?? -1;
    // Lengths of up to two bytes: a name of 16 KB is none of ours.
    if (length > 127) {
      const high = bytes[start++] ?? 128;
      if (high > 127) return undefined;
      length = (length & 127) | (high << 7);
    }
    const end = start + length;
    if (length < 0 || end > bytes.length) return undefined;
    if (tag === RESOURCE_NAMES) {
      if (namesStart === -1) namesStart = at;
      else if (namesEnd !== at) return undefined;
      namesEnd = end;
    } else if (tag === TYPE_URL && type === undefined) type = { start, end };
    else if (tag === RESPONSE_NONCE && nonce === undefined && isAscii(bytes, start, end)) nonce = { start, end };
    else if (tag !== VERSION_INFO) return undefined;
    at = end;
  }
  const names = namesStart === -1 ? NOWHERE : { start: namesStart, end: namesEnd };
  return { type: type ?? NOWHERE, names, nonce: nonce ?? NOWHERE };
}

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] as number) > 127) return false;
  return true;
}

function same(bytes: Buffer, { start, end }: Range, known: Buffer): boolean {
  return end - start === known.length && bytes.compare(known, 0, known.length, start, end) === 0;
}

function copyOf(bytes: Buffer, { start, end }: Range): Buffer {
  const copy = Buffer.allocUnsafeSlow(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
