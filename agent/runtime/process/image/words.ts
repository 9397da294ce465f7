import type { Escape } from './dockerfile-lines.ts';

type Variables = Readonly<Record<string, string>>;

/**
 * Splits into words as the Dockerfile reference has it for ENV: blanks separate, quotes and the escape join. Variables
 * are replaced (`$name`, `${name}`, `${name:-word}`, `${name:+word}`), but not in single quotes or after the escape.
 */
export function splitWords(text: string, variables: Variables, escape: Escape): readonly string[] {
  const words: string[] = [];
  const scan = { at: 0 };
  while (scan.at < text.length) {
    if (/\s/.test(text[scan.at] ?? '')) {
      scan.at++;
      continue;
    }
    words.push(readWord(text, scan, variables, escape, (letter) => /\s/.test(letter)));
  }
  return words;
}

/** The text with its quotes taken off and its variables replaced, as one word with its blanks. */
export function substitute(text: string, variables: Variables, escape: Escape): string {
  return readWord(text, { at: 0 }, variables, escape, () => false);
}

function readWord(
  text: string,
  scan: { at: number },
  variables: Variables,
  escape: Escape,
  isEnd: (letter: string) => boolean,
): string {
  let word = '';
  let quote = '';
  while (scan.at < text.length) {
    const letter = text[scan.at] ?? '';
    const next = text[scan.at + 1];
    if (quote === '' && isEnd(letter)) break;
    if (quote !== "'" && letter === escape && next !== undefined) {
      // In double quotes the escape is itself unless it hides something (POSIX sh 2.2.3).
      word += quote === '"' && !['"', '$', escape].includes(next) ? letter + next : next;
      scan.at += 2;
    } else if (quote !== "'" && letter === '$') {
      word += readVariable(text, scan, variables, escape);
    } else {
      if (letter === quote) quote = '';
      else if (quote === '' && (letter === '"' || letter === "'")) quote = letter;
      else word += letter;
      scan.at++;
    }
  }
  return word;
}

/** At a dollar sign; moves past the variable. A dollar sign with no name after it is itself. */
function readVariable(text: string, scan: { at: number }, variables: Variables, escape: Escape): string {
  const plain = /^\$([A-Za-z_][A-Za-z0-9_]*)/.exec(text.slice(scan.at));
  if (plain !== null) {
    scan.at += plain[0].length;
    return variables[plain[1] ?? ''] ?? '';
  }
  const braced = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(:?[-+])?/.exec(text.slice(scan.at));
  if (braced === null) {
    scan.at++;
    return '$';
  }
  const [head, name = '', operator] = braced;
  scan.at += head.length;
  const word = readWord(text, scan, variables, escape, (letter) => letter === '}');
  scan.at++;
  const value = variables[name];
  const isSet = value !== undefined && (value !== '' || operator?.startsWith(':') !== true);
  if (operator === undefined) return value ?? '';
  if (operator.endsWith('-')) return isSet ? (value ?? '') : word;
  return isSet ? word : '';
}
