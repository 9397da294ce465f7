// The oracle of this folder's tests, which comes without types: what the tests use of it.
declare module 'dns-packet' {
  export interface PacketRecord {
    readonly type: string;
    readonly name: string;
    readonly ttl?: number;
    readonly class?: string;
    readonly data?: unknown;
    readonly flags?: number;
    readonly udpPayloadSize?: number;
  }
  export interface Packet {
    readonly id?: number;
    readonly type?: 'query' | 'response';
    readonly flags?: number;
    readonly rcode?: string;
    readonly questions?: readonly { readonly type: string; readonly name: string; readonly class?: string }[];
    readonly answers?: readonly PacketRecord[];
    readonly authorities?: readonly PacketRecord[];
    readonly additionals?: readonly PacketRecord[];
  }
  export function encode(packet: Packet): Buffer;
  export function decode(bytes: Buffer): Packet & { readonly flag_tc: boolean };
  export const AUTHORITATIVE_ANSWER: number;
  export const RECURSION_DESIRED: number;
}
