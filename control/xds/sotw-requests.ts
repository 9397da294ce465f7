import protobuf from 'protobufjs/minimal.js';
import { DiscoveryRequest } from '../../xds/messages.js';

/** The names of one type as they came: a run of fields of one request. */
interface Names {
  readonly bytes: Buffer;
  readonly names: readonly string[];
}

// envoy.service.discovery.v3.DiscoveryRequest.
const RESOURCE_NAMES = 3;
const TYPE_URL = 4;
const LENGTH_DELIMITED = 2;

/**
 * Reads the requests of one state-of-the-world stream. Each ACK repeats all the names that are wanted, byte for byte: what is as it was is not
 * read again, and is the same list as before. Without this, of a thousand proxies' ACKs the names are all that there is to read.
 */
export class SotwRequests {
  readonly #known = new Map<string, Names>();

  /** Throws on what is no DiscoveryRequest. */
  read(bytes: Buffer): DiscoveryRequest {
    const found = scan(bytes);
    if (found === undefined) return DiscoveryRequest.decode(bytes);
    const { start, end, typeUrl } = found;
    const run = bytes.subarray(start, end);
    const known = this.#known.get(typeUrl);
    if (known?.bytes.equals(run) === true) {
      const rest = Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
      return { ...DiscoveryRequest.decode(rest), resourceNames: known.names };
    }
    const request = DiscoveryRequest.decode(bytes);
    // A copy of its own: the bytes are part of whatever else came with them, and would keep all of it.
    if (this.#known.size < MAX_TYPES || known !== undefined) {
      this.#known.set(typeUrl, { bytes: copyOf(run), names: request.resourceNames });
    }
    return request;
  }
}

// Of types that we do not serve nothing needs to be quick.
const MAX_TYPES = 8;

/** Where the names stand; undefined when they stand in several places, or when there are none. */
function scan(bytes: Buffer): { readonly start: number; readonly end: number; readonly typeUrl: string } | undefined {
  const reader = protobuf.Reader.create(bytes);
  let [start, end, typeUrl] = [-1, -1, ''];
  while (reader.pos < reader.len) {
    const at = reader.pos;
    const tag = reader.uint32();
    const [number, wireType] = [tag >>> 3, tag & 7];
    if (number === TYPE_URL && wireType === LENGTH_DELIMITED) {
      typeUrl = reader.string();
      continue;
    }
    reader.skipType(wireType);
    if (number !== RESOURCE_NAMES) continue;
    if (start === -1) start = at;
    else if (end !== at) return undefined;
    end = reader.pos;
  }
  return start === -1 ? undefined : { start, end, typeUrl };
}

function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
