import type { Any, Codec, Duration } from '../../../xds/messages.js';

/** A resource that this proxy cannot put to work, with what is wrong: the words of a NACK. */
export class ResourceError extends Error {
  override readonly name = 'ResourceError';
}

/** Any codec of xds/messages.js, whatever it reads. */
type AnyCodec = Codec<never, unknown>;

interface Remembered {
  readonly bytes: Uint8Array;
  readonly message: unknown;
}

// Clusters and listeners of one mesh say much the same: what was read last is likely to come again.
const MOST_REMEMBERED = 4;
const remembered = new Map<AnyCodec, Remembered[]>();
const names = new Map<AnyCodec, string>();

/** The message in an Any, the same object for the same bytes. Throws when it is of another type, or broken. */
export function unpackAny<Output>(any: Any | null, codec: Codec<never, Output>, what: string): Output {
  if (any === null) throw new ResourceError(`${what}: is missing, wanted ${nameOfCodec(codec)}`);
  if (!isAny(any, codec)) {
    throw new ResourceError(`${what}: is ${nameOf(any.typeUrl)}, wanted ${nameOfCodec(codec)}`);
  }
  const { value } = any;
  const last = remembered.get(codec) ?? [];
  for (const { bytes, message } of last) if (Buffer.compare(bytes, value) === 0) return message as Output;
  const message = codec.decode(value);
  // Copied: the bytes are a piece of a whole response.
  remembered.set(codec, [{ bytes: Uint8Array.from(value), message }, ...last.slice(0, MOST_REMEMBERED - 1)]);
  return message;
}

/** Whether an Any holds that message; only the name counts (google.protobuf.Any, type_url). */
export function isAny(any: Any | null, codec: AnyCodec): boolean {
  if (any === null) return false;
  const { typeUrl } = any;
  const name = nameOfCodec(codec);
  const before = typeUrl.length - name.length - 1;
  return typeUrl.endsWith(name) && (before === -1 || typeUrl.charCodeAt(before) === SLASH);
}

const SLASH = 47;

export function durationMs(duration: Duration | null): number | undefined {
  return duration === null ? undefined : duration.seconds * 1000 + duration.nanos / 1e6;
}

function nameOfCodec(codec: AnyCodec): string {
  let name = names.get(codec);
  if (name === undefined) {
    name = nameOf(codec.getTypeUrl());
    names.set(codec, name);
  }
  return name;
}

function nameOf(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}
