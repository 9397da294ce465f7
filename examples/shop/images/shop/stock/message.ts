// As much of protobuf as stock.proto takes (protobuf.dev/programming-guides/encoding).

/** Product.id, or nothing where it is not there. */
export function readProduct(bytes: Buffer): string {
  const [tag, length = 0] = bytes;
  return tag === 0x0a ? bytes.toString('utf8', 2, 2 + length) : '';
}

/** Answer. Text of up to 127 bytes, so that its length is one byte. */
export function writeAnswer(left: number, servedBy: string): Buffer {
  const text = Buffer.from(servedBy).subarray(0, 127);
  return Buffer.concat([Buffer.from([0x08, left & 0x7f, 0x12, text.length]), text]);
}

/** grpc.health.v1.HealthCheckResponse. */
export function writeHealth(health: 'serving' | 'not serving'): Buffer {
  return Buffer.from([0x08, health === 'serving' ? 1 : 2]);
}
