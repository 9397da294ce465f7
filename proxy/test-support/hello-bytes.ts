// ClientHellos put together by hand (RFC 8446, section 4.1.2), sound or not.

const number = (value: number, size: number): Buffer => {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
};

/** What a length of so many bytes stands before. */
function vector(size: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([number(body.length, size), body]);
}

export function extension(type: number, data: Buffer): Buffer {
  return Buffer.concat([number(type, 2), vector(2, data)]);
}

export function record(body: Buffer, type = 22): Buffer {
  return Buffer.concat([Buffer.from([type, 3, 1]), vector(2, body)]);
}

/** A message cut into records of so many bytes. */
export function records(message: Buffer, size: number): Buffer {
  const all: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) all.push(record(message.subarray(at, at + size)));
  return Buffer.concat(all);
}

export function nameEntry(name: string, type = 0): Buffer {
  return Buffer.concat([Buffer.from([type]), vector(2, Buffer.from(name, 'latin1'))]);
}

export function serverName(...names: readonly Buffer[]): Buffer {
  return extension(0, vector(2, ...names));
}

export function alpn(...names: readonly string[]): Buffer {
  return extension(16, vector(2, ...names.map((name) => vector(1, Buffer.from(name, 'latin1')))));
}

/** A handshake message; a ClientHello unless another type is given, without a list of extensions where that is undefined. */
export function handshake(extensions: readonly Buffer[] | undefined, type = 1): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32)),
    vector(2, Buffer.from([0x13, 0x01])),
    vector(1, Buffer.from([0])),
    ...(extensions === undefined ? [] : [vector(2, ...extensions)]),
  ]);
  return Buffer.concat([Buffer.from([type]), vector(3, body)]);
}
