/** Who is at the other end of a connection, by a PROXY protocol header or by the socket. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

export interface Tlv {
  readonly type: number;
  readonly value: Buffer;
}

/** What a header says; without addresses where its sender speaks for itself or does not know (LOCAL, UNKNOWN, UNSPEC, a Unix socket). */
export interface ProxyHeader {
  readonly version: 1 | 2;
  readonly source: Peer | undefined;
  readonly destination: Peer | undefined;
  /** Of version 2, all but the checksum and padding. */
  readonly tlvs: readonly Tlv[];
  /** How many of the bytes it took. */
  readonly bytes: number;
}

/** The longest line of version 1 with its CRLF (proxy-protocol.txt, section 2.1). */
export const MAX_V1_BYTES = 107;
/** More than any sender has to say beside addresses; proxy-protocol.txt (section 2.2) has 536 as what must be taken. */
export const MAX_V2_BYTES = 4096;

export const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
export const V2_HEAD_BYTES = 16;
export const V2_LOCAL = 0x20;
export const V2_PROXY = 0x21;
export const V2_TCP4 = 0x11;
export const V2_TCP6 = 0x21;
export const CRC32C_TYPE = 0x03;
export const NOOP_TYPE = 0x04;
export const TLV_HEAD_BYTES = 3;
