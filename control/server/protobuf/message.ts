import protobuf from 'protobufjs/minimal.js';
import { ApiError } from '../../../api/meta/api-error.ts';

type Reader = ReturnType<typeof protobuf.Reader.create>;
type JsonFields = Record<string, unknown>;

/** How one field of a message becomes a field of the JSON object: what Kubernetes' Go types say with their tags. */
export interface Field {
  readonly name: string;
  /** Puts what the reader holds into the object. */
  readonly read: (reader: Reader, into: JsonFields, name: string) => void;
}

/** A message of Kubernetes' generated.proto: its fields by number. */
export type Message = Readonly<Record<number, Field>>;

/**
 * The JSON form of an encoded message. Throws ApiError 400 for bytes that are no such message, and 415 for a field that
 * is not known here: leaving it out would store something else than was sent.
 */
export function readMessage(message: Message, bytes: Uint8Array): JsonFields {
  try {
    return readFields(message, protobuf.Reader.create(bytes));
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw ApiError.badRequest(
      `the body is not protobuf of its kind: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function readFields(message: Message, reader: Reader): JsonFields {
  const fields: JsonFields = {};
  while (reader.pos < reader.len) {
    const number = reader.uint32() >>> 3;
    const field = message[number];
    if (field === undefined) {
      throw ApiError.unsupportedMediaType(`protobuf: field ${number} is not known here; send application/json`);
    }
    field.read(reader, fields, field.name);
  }
  return fields;
}

function readNested(message: Message, reader: Reader): JsonFields {
  return readFields(message, protobuf.Reader.create(reader.bytes()));
}

/** Texts, flags and numbers are always on the wire; empty ones stand for nothing (Go's omitempty). */
export function text(name: string): Field {
  return scalar(name, (reader) => reader.string() || undefined);
}

export function flag(name: string): Field {
  return scalar(name, (reader) => reader.bool() || undefined);
}

export function number(name: string): Field {
  return scalar(name, (reader) => Number(reader.int64()) || undefined);
}

/** Of a Go pointer: on the wire only when set, so that false and 0 count. */
export function optionalFlag(name: string): Field {
  return scalar(name, (reader) => reader.bool());
}

export function optionalNumber(name: string): Field {
  return scalar(name, (reader) => Number(reader.int64()));
}

export function message(name: string, type: Message): Field {
  return scalar(name, (reader) => readNested(type, reader));
}

export function texts(name: string): Field {
  return repeated(name, (reader) => reader.string());
}

export function messages(name: string, type: Message): Field {
  return repeated(name, (reader) => readNested(type, reader));
}

export function textMap(name: string): Field {
  return map(name, (reader) => reader.string(), '');
}

/** Bytes are base64 in JSON. */
export function bytesMap(name: string): Field {
  return map(name, (reader) => Buffer.from(reader.bytes()).toString('base64'), '');
}

const QUANTITY: Message = { 1: text('string') };

export function quantityMap(name: string): Field {
  return map(name, (reader) => readNested(QUANTITY, reader)['string'] ?? '0', '0');
}

const TIME: Message = { 1: number('seconds'), 2: number('nanos') };

/** meta/v1 Time; the zero time is none. */
export function time(name: string): Field {
  return scalar(name, (reader) => {
    const { seconds } = readNested(TIME, reader);
    return typeof seconds === 'number' ? `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z` : undefined;
  });
}

const INT_OR_STRING: Message = { 1: number('isText'), 2: number('number'), 3: text('text') };

export function intOrText(name: string): Field {
  return scalar(name, (reader) => {
    const { isText, number: value = 0, text: word = '' } = readNested(INT_OR_STRING, reader);
    return isText === 1 ? word : value;
  });
}

function scalar(name: string, value: (reader: Reader) => unknown): Field {
  return {
    name,
    read: (reader, into, field) => {
      const read = value(reader);
      if (read !== undefined) into[field] = read;
    },
  };
}

function repeated(name: string, item: (reader: Reader) => unknown): Field {
  return {
    name,
    read: (reader, into, field) => {
      into[field] = [...((into[field] as readonly unknown[] | undefined) ?? []), item(reader)];
    },
  };
}

function map(name: string, value: (reader: Reader) => unknown, empty: unknown): Field {
  return {
    name,
    read: (reader, into, field) => {
      const [key, entry] = readEntry(reader.bytes(), value, empty);
      // Not by assignment: a key may be "__proto__", which is refused later and must not do anything before.
      const entries = [...Object.entries((into[field] as object | undefined) ?? {}), [key, entry]];
      into[field] = Object.fromEntries(entries);
    },
  };
}

function readEntry(bytes: Uint8Array, value: (reader: Reader) => unknown, empty: unknown): readonly [string, unknown] {
  const reader = protobuf.Reader.create(bytes);
  let key = '';
  let entry = empty;
  while (reader.pos < reader.len) {
    const tag = reader.uint32() >>> 3;
    if (tag === 1) key = reader.string();
    else if (tag === 2) entry = value(reader);
    else throw ApiError.badRequest(`protobuf: a map's entry has a field ${tag}`);
  }
  return [key, entry];
}
