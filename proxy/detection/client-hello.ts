/** What a TLS client says first of whom it wants, for those who pass TLS on without ending it. */
export type Hello =
  | {
      readonly kind: 'hello';
      /** In lower case; '' where the client named none. */
      readonly serverName: string;
      /** What it offers by ALPN, GREASE left out. */
      readonly protocols: readonly string[];
    }
  /** It is no ClientHello, and no more bytes will make it one. */
  | { readonly kind: 'broken'; readonly message: string };

/** Envoy's tls_inspector: max_client_hello_size. Post-quantum key shares take about 2 KB. */
export const MAX_HELLO_BYTES = 16 * 1024;
/** More than any client cuts it into; each one is looked at again whenever more bytes come. */
const MAX_RECORD_HEADS = 1024;

// RFC 8446: record and handshake types (sections 5.1 and 4), extensions (section 4.2).
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;
const HOST_NAME = 0;
const RECORD_HEAD_BYTES = 5;
const HANDSHAKE_HEAD_BYTES = 4;
const MAX_RECORD_BYTES = 16 * 1024;
const VERSION_AND_RANDOM_BYTES = 34;

/** RFC 6066, section 3: a host name in ASCII, without a dot at its end. */
const HOST = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/** Reads a ClientHello out of a connection's first bytes; undefined while there are too few. Pure: nothing is taken away. */
export function readClientHello(bytes: Buffer): Hello | undefined {
  const message = handshakeOf(bytes);
  if (message === undefined) return undefined;
  if (typeof message === 'string') return { kind: 'broken', message };
  try {
    return bodyOf(new Reader(message));
  } catch (error) {
    if (error instanceof Broken) return { kind: 'broken', message: error.message };
    throw error;
  }
}

/** The handshake message without its head, out of as many records as it was cut into; words when it is none. */
function handshakeOf(bytes: Buffer): Buffer | string | undefined {
  const pieces: Buffer[] = [];
  let have = 0;
  let end = Number.POSITIVE_INFINITY;
  for (let at = 0; ; ) {
    if (at < bytes.length && bytes[at] !== HANDSHAKE) return 'the first bytes are no TLS handshake';
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return 'the record is of no version of TLS';
    if (at + RECORD_HEAD_BYTES > bytes.length) return undefined;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > MAX_RECORD_BYTES) return `the record has ${length} bytes`;
    if (pieces.length === MAX_RECORD_HEADS) return `the ClientHello comes in more than ${MAX_RECORD_HEADS} records`;
    const piece = bytes.subarray(at + RECORD_HEAD_BYTES, at + RECORD_HEAD_BYTES + length);
    pieces.push(piece);
    have += piece.length;
    if (pieces[0]?.length !== 0 && pieces[0]?.[0] !== CLIENT_HELLO) return 'the handshake begins with no ClientHello';
    if (end === Number.POSITIVE_INFINITY && have >= HANDSHAKE_HEAD_BYTES) {
      // Never more than a few pieces by now.
      const wanted = Buffer.concat(pieces).readUIntBE(1, 3);
      if (wanted > MAX_HELLO_BYTES) return `the ClientHello has ${wanted} bytes, at most ${MAX_HELLO_BYTES} are read`;
      end = HANDSHAKE_HEAD_BYTES + wanted;
    }
    // What it says of its length counts, whatever of it has come: the answer does not hang on how the bytes are cut.
    if (have + length - piece.length > end) return 'the record goes on behind the ClientHello';
    if (have === end) return Buffer.concat(pieces).subarray(HANDSHAKE_HEAD_BYTES);
    if (piece.length < length) return undefined;
    at += RECORD_HEAD_BYTES + length;
  }
}

function bodyOf(hello: Reader): Hello {
  hello.skip(VERSION_AND_RANDOM_BYTES);
  hello.vector(1); // session id
  hello.vector(2); // cipher suites
  hello.vector(1); // compression methods
  // SSL 3 and early TLS 1.0 have no extensions at all.
  const found = hello.isAtEnd ? NAMELESS : extensionsOf(hello.vector(2));
  if (!hello.isAtEnd) throw new Broken('bytes are left over');
  return found;
}

const NAMELESS: Hello = { kind: 'hello', serverName: '', protocols: [] };

function extensionsOf(extensions: Reader): Hello {
  let serverName = '';
  let protocols: readonly string[] = [];
  const seen = new Set<number>();
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    // Of two names one proxy would take the first and another the last (RFC 8446, section 4.2).
    if (seen.has(type)) throw new Broken(`extension ${type} comes twice`);
    seen.add(type);
    if (type === SERVER_NAME) serverName = serverNameOf(data);
    else if (type === ALPN) protocols = protocolsOf(data);
  }
  return { kind: 'hello', serverName, protocols };
}

function serverNameOf(data: Reader): string {
  const list = data.vector(2);
  if (!data.isAtEnd || list.isAtEnd) throw new Broken('the list of server names is not sound');
  let found: string | undefined;
  while (!list.isAtEnd) {
    const type = list.number(1);
    const name = list.vector(2).text().toLowerCase();
    if (type !== HOST_NAME) continue;
    if (found !== undefined) throw new Broken('there are two host names');
    if (name.length > 255 || !HOST.test(name)) throw new Broken('the server name is no host name');
    found = name;
  }
  return found ?? '';
}

function protocolsOf(data: Reader): readonly string[] {
  const list = data.vector(2);
  if (!data.isAtEnd) throw new Broken('the list of protocols is not sound');
  const found: string[] = [];
  while (!list.isAtEnd) {
    const name = list.vector(1).text();
    if (name === '') throw new Broken('a protocol has no name');
    if (!isGrease(name)) found.push(name);
  }
  return found;
}

/** RFC 8701, section 2: two equal bytes of the form 0x?A. */
function isGrease(name: string): boolean {
  const [first = 0, second = 0] = Buffer.from(name, 'latin1');
  return name.length === 2 && first === second && (first & 15) === 10;
}

class Broken extends Error {}

/** Reads numbers and vectors one behind the other, and never behind its end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  skip(count: number): void {
    this.#take(count);
  }

  number(size: 1 | 2): number {
    return this.#take(size).readUIntBE(0, size);
  }

  /** What a length of so many bytes stands before. */
  vector(size: 1 | 2): Reader {
    return new Reader(this.#take(this.number(size)));
  }

  text(): string {
    return this.#take(this.#bytes.length - this.#at).toString('latin1');
  }

  #take(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw new Broken('a length goes beyond the end');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
