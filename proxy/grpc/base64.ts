const OTHER = /[^A-Za-z0-9+/=]/;
const PAD = '=';

/**
 * Base64 as gRPC-Web's text form sends it: cut anywhere, and padded wherever its sender flushed (PROTOCOL-WEB.md), so padding may stand
 * between two groups.
 */
export class Base64Reader {
  /** Less than a group of four. */
  #held = '';

  /** The bytes that are whole by now; undefined when this is no base64. */
  read(from: Buffer, start: number, end: number): Buffer | undefined {
    const text = this.#held + from.toString('latin1', start, end);
    const whole = text.length - (text.length % 4);
    this.#held = text.slice(whole);
    return OTHER.test(text) ? undefined : decodeGroups(text.slice(0, whole));
  }

  /** Nothing is missing. */
  get isWhole(): boolean {
    return this.#held === '';
  }
}

function decodeGroups(text: string): Buffer | undefined {
  const pieces: Buffer[] = [];
  let at = 0;
  for (let pad = text.indexOf(PAD); pad >= 0; pad = text.indexOf(PAD, at)) {
    const end = pad - (pad % 4) + 4;
    const padding = text.slice(pad, end);
    if (padding !== '=' && padding !== '==') return undefined;
    pieces.push(Buffer.from(text.slice(at, end), 'base64'));
    at = end;
  }
  const rest = Buffer.from(text.slice(at), 'base64');
  return pieces.length === 0 ? rest : Buffer.concat([...pieces, rest]);
}
