import { FIELD_VALUE, HTAB, SP, TOKEN } from '../../http1/grammar.ts';
import { fieldKindOfName } from '../../http1/head-fields.ts';

/** The names that begin with a colon (RFC 9113 section 8.3); any other such name is `unknown`. */
export type Pseudo = '' | 'method' | 'scheme' | 'authority' | 'path' | 'protocol' | 'status' | 'unknown';

const PSEUDO: Readonly<Record<string, Pseudo>> = {
  __proto__: null as never,
  ':method': 'method',
  ':scheme': 'scheme',
  ':authority': 'authority',
  ':path': 'path',
  // RFC 8441.
  ':protocol': 'protocol',
  ':status': 'status',
};

const UPPER_A = 65;
const UPPER_Z = 90;
const COLON = 58;

/**
 * One field of a header list, with what is known of it once it has been looked at: an indexed field costs nothing more than
 * its line. Octets are latin1 characters.
 */
export class Field {
  readonly name: string;
  readonly value: string;
  /** As the dynamic table counts it (RFC 7541 section 4.1). */
  readonly size: number;
  readonly pseudo: Pseudo;
  /** As http1/field-kind.ts has it. */
  readonly kind: number;
  /** Name and value are what RFC 9113 section 8.2.1 lets them be. */
  readonly sound: boolean;
  /** As HTTP/1.1 writes it, with its CRLF. */
  readonly line: string;

  constructor(name: string, value: string) {
    this.name = name;
    this.value = value;
    this.size = name.length + value.length + 32;
    const pseudo = name.charCodeAt(0) === COLON;
    this.pseudo = pseudo ? (PSEUDO[name] ?? 'unknown') : '';
    this.sound = isSoundValue(value) && (pseudo || isSoundName(name));
    this.kind = pseudo ? 0 : fieldKindOfName(name);
    this.line = pseudo ? '' : `${name}: ${value}\r\n`;
  }
}

function isSoundName(name: string): boolean {
  if (name === '') return false;
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    if (TOKEN[code] !== 1 || (code >= UPPER_A && code <= UPPER_Z)) return false;
  }
  return true;
}

function isSoundValue(value: string): boolean {
  for (let at = 0; at < value.length; at++) if (FIELD_VALUE[value.charCodeAt(at)] !== 1) return false;
  const first = value.charCodeAt(0);
  const last = value.charCodeAt(value.length - 1);
  return first !== SP && first !== HTAB && last !== SP && last !== HTAB;
}
