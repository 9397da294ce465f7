/*
 * Names in presentation form: labels with dots between, no final dot, the root is the empty string. A byte that would
 * be read wrong is escaped as in RFC 1035 section 5.1 (`\.`, `\\`, `\DDD`), so that two names are the same text only if
 * they are the same bytes.
 */

/** Longest name on the wire, lengths and the root's zero counted (RFC 1035 section 2.3.4). */
const MAX_NAME_BYTES = 255;
const MAX_LABEL_BYTES = 63;
const POINTER = 0xc0;
const MAX_POINTER_TARGET = 0x3fff;

export interface ReadName {
  readonly name: string;
  /** Where the next field begins: behind the name or its first pointer. */
  readonly end: number;
}

/**
 * Reads a name that may be compressed (RFC 1035 section 4.1.4). Undefined when it runs out of the message, is too long,
 * uses a reserved label type, or has a pointer that does not go back: so no chain of pointers can loop.
 */
export function readName(bytes: Uint8Array, start: number): ReadName | undefined {
  let name = '';
  let at = start;
  let runStart = start;
  let end: number | undefined;
  let total = 1;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) return undefined;
    if (length === 0) return { name, end: end ?? at + 1 };
    if (length >= POINTER) {
      const low = bytes[at + 1];
      if (low === undefined) return undefined;
      end ??= at + 2;
      const target = ((length & 0x3f) << 8) | low;
      if (target >= runStart) return undefined;
      at = target;
      runStart = target;
      continue;
    }
    total += length + 1;
    if (length > MAX_LABEL_BYTES || total > MAX_NAME_BYTES || at + 1 + length > bytes.length) return undefined;
    const label = readLabel(bytes, at + 1, at + 1 + length);
    name = name === '' ? label : `${name}.${label}`;
    at += 1 + length;
  }
}

function readLabel(bytes: Uint8Array, start: number, end: number): string {
  let label = '';
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x2e || byte === 0x5c) label += `\\${String.fromCharCode(byte)}`;
    else if (byte > 0x20 && byte < 0x7f) label += String.fromCharCode(byte);
    else label += `\\${String(byte).padStart(3, '0')}`;
  }
  return label;
}

/** The labels of a name, still in presentation form. The root has none. */
export function labelsOf(name: string): string[] {
  if (name === '') return [];
  return name.includes('\\') ? (name.match(/(?:\\\d{3}|\\.|[^.\\])+/gs) ?? []) : name.split('.');
}

function labelBytes(label: string): number[] {
  const bytes: number[] = [];
  for (let at = 0; at < label.length; at++) {
    let byte = label.charCodeAt(at);
    if (byte === 0x5c) {
      const digits = /^\d{3}/.exec(label.slice(at + 1, at + 4))?.[0];
      byte = digits === undefined ? label.charCodeAt(at + 1) : Number(digits);
      at += digits === undefined ? 1 : 3;
    }
    bytes.push(byte & 0xff);
  }
  return bytes;
}

/** Whether a text can go onto the wire as a name. */
export function isEncodable(name: string): boolean {
  let total = 1;
  for (const label of labelsOf(name)) {
    const { length } = labelBytes(label);
    if (length === 0 || length > MAX_LABEL_BYTES) return false;
    total += length + 1;
  }
  return total <= MAX_NAME_BYTES && labelsOf(name).join('.') === name && !/[^\0-\u00ff]/.test(name);
}

/** Names that a message already has, lower case, with where they begin: what later names may point to. */
export type NameTable = Map<string, number>;

/**
 * The bytes of a name at a place in the message, pointing to what `table` has and adding what it has not. A compressed
 * name reads with the case of the name it points to: that keeps the question's own case in the answer (0x20).
 */
export function encodeName(name: string, offset: number, table: NameTable | undefined): number[] {
  const bytes: number[] = [];
  const labels = labelsOf(name);
  for (let index = 0; index < labels.length; index++) {
    if (table !== undefined) {
      const rest = labels.slice(index).join('.').toLowerCase();
      const known = table.get(rest);
      if (known !== undefined) {
        bytes.push(POINTER | (known >> 8), known & 0xff);
        return bytes;
      }
      if (offset + bytes.length <= MAX_POINTER_TARGET) table.set(rest, offset + bytes.length);
    }
    const label = labelBytes(labels[index] ?? '');
    bytes.push(label.length, ...label);
  }
  bytes.push(0);
  return bytes;
}
