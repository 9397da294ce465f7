import { fieldKind, ORDINARY } from './field-kind.ts';

// RFC 9110 section 6.5.1: what frames, routes, authenticates or controls a message, or says what its content is, is not to be
// taken from behind it. What the proxy acts on itself (field-kind.ts) is left out as well.
const NEVER = new Set([
  'age',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'date',
  'expires',
  'location',
  'max-forwards',
  'pragma',
  'range',
  'retry-after',
  'set-cookie',
  'vary',
  'warning',
  'www-authenticate',
]);

/** Whether a field of that lower-case name may go on as a trailer. */
export function isTrailerName(name: string): boolean {
  return fieldKind(name, 0, name.length) === ORDINARY && !NEVER.has(name);
}

const LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;

/** The lines of a chunked body's trailer section that may go on, each with its CRLF; what is no field is left out. */
export function trailerLines(section: string): string {
  if (section === '') return '';
  let lines = '';
  for (const line of section.split('\r\n')) {
    const [, name = '', value = ''] = LINE.exec(line) ?? [];
    if (name !== '' && isTrailerName(name.toLowerCase())) lines += `${name}: ${value}\r\n`;
  }
  return lines;
}
