/** The one frame that the WebSocket load sends: binary, final, masked with zeros (RFC 6455 section 5.2). */
export const PAYLOAD_BYTES = 100;
export const MASKED_HEAD_BYTES = 6;
export const FRAME_BYTES = MASKED_HEAD_BYTES + PAYLOAD_BYTES;
/** Of a server's frame, which is not masked. */
export const ECHO_BYTES = 2 + PAYLOAD_BYTES;

export function maskedFrame(): Buffer {
  return Buffer.concat([Buffer.from([0x82, 0x80 | PAYLOAD_BYTES, 0, 0, 0, 0]), Buffer.alloc(PAYLOAD_BYTES, 'x')]);
}
