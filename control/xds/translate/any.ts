import type { AnyInput, Codec, DurationInput } from '../../../xds/messages.js';

/** google.protobuf.Any: how Envoy's API carries the configuration of an extension. */
export function packAny<Input>(codec: Codec<Input, unknown>, message: Input): AnyInput {
  return { typeUrl: codec.getTypeUrl(), value: codec.encode(message).finish() };
}

export function durationOf(ms: number): DurationInput {
  return { seconds: Math.floor(ms / 1000), nanos: Math.round((ms % 1000) * 1e6) };
}
