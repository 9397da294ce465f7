/** A length-delimited field of a message; others (numbers) are passed over. */
interface Field {
  readonly number: number;
  readonly bytes: Buffer;
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** The length-delimited fields at the top of a message, without a copy. Throws on what is no protobuf message. */
export function fieldsOf(message: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new Error('a protobuf message ends within a number');
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const wireType = tag & 7;
    if (wireType === VARINT) varint();
    else if (wireType === FIXED64) at += 8;
    else if (wireType === FIXED32) at += 4;
    else if (wireType === LENGTH_DELIMITED) {
      const length = varint();
      fields.push({ number: Math.floor(tag / 8), bytes: message.subarray(at, at + length) });
      at += length;
    } else throw new Error(`wire type ${wireType}`);
  }
  return fields;
}

/** The text of the first field of a number; empty when it is not there. */
export function textField(message: Buffer, number: number): string {
  return (
    fieldsOf(message)
      .find((field) => field.number === number)
      ?.bytes.toString() ?? ''
  );
}
