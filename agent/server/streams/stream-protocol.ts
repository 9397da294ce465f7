import type { StreamRequest } from './stream-request.ts';

/** Streams as channels of one WebSocket: a message's first byte says which (k8s.io/apimachinery remotecommand/constants.go). */
export const CHANNELS_V4 = 'v4.channel.k8s.io';
/** As the fourth, and one side can close a channel. */
export const CHANNELS_V5 = 'v5.channel.k8s.io';
/** SPDY/3.1 within a WebSocket's binary messages: what kubectl forwards ports with (KEP-4006). */
export const SPDY_TUNNEL = 'SPDY/3.1+portforward.k8s.io';

export type StreamProtocol = typeof CHANNELS_V4 | typeof CHANNELS_V5 | typeof SPDY_TUNNEL;

const FOR_PROGRAMS: readonly StreamProtocol[] = [CHANNELS_V5, CHANNELS_V4];
const FOR_PORTS: readonly StreamProtocol[] = [SPDY_TUNNEL, CHANNELS_V5, CHANNELS_V4];

export type ProtocolChoice =
  | { readonly ok: true; readonly protocol: StreamProtocol }
  | { readonly ok: false; readonly message: string };

/** The client's first choice that is served. `offered` is its Sec-WebSocket-Protocol. */
export function chooseProtocol(type: StreamRequest['type'], offered: string | undefined): ProtocolChoice {
  const served = type === 'portForward' ? FOR_PORTS : FOR_PROGRAMS;
  const names = (offered ?? '').split(',').map((name) => name.trim());
  const protocol = names.flatMap((name) => served.find((one) => one === name) ?? [])[0];
  if (protocol !== undefined) return { ok: true, protocol };
  const asked =
    offered === undefined || offered === '' ? 'none was named' : `not ${JSON.stringify(offered.slice(0, 200))}`;
  return { ok: false, message: `WebSocket protocol: ${asked}; served are ${served.join(', ')}` };
}
