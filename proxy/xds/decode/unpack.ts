import type { Any, Codec, Duration } from '../../../xds/messages.js';

/** A resource that this proxy cannot put to work, with what is wrong: the words of a NACK. */
export class ResourceError extends Error {
  override readonly name = 'ResourceError';
}

/** The message in an Any. Throws when it is of another type, or broken. */
export function unpackAny<Output>(any: Any | null, codec: Codec<never, Output>, what: string): Output {
  const wanted = codec.getTypeUrl();
  if (any === null) throw new ResourceError(`${what}: is missing, wanted ${nameOf(wanted)}`);
  if (nameOf(any.typeUrl) !== nameOf(wanted)) {
    throw new ResourceError(`${what}: is ${nameOf(any.typeUrl)}, wanted ${nameOf(wanted)}`);
  }
  return codec.decode(any.value);
}

/** Whether an Any holds that message; only the name counts (google.protobuf.Any, type_url). */
export function isAny(any: Any | null, codec: Codec<never, unknown>): boolean {
  return any !== null && nameOf(any.typeUrl) === nameOf(codec.getTypeUrl());
}

export function durationMs(duration: Duration | null): number | undefined {
  return duration === null ? undefined : duration.seconds * 1000 + duration.nanos / 1e6;
}

/** Text that matches itself, for RE2. */
export function escapeRegex(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

function nameOf(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}
