/** One instruction of a Dockerfile: `ENV`, and what follows it. */
export interface Instruction {
  /** In capitals. */
  readonly name: string;
  readonly rest: string;
  /** From 1; of the instruction's first line. */
  readonly line: number;
}

/** What a continued line ends in: a backslash unless a parser directive says a backtick. */
export type Escape = '\\' | '`';

export interface DockerfileText {
  readonly escape: Escape;
  readonly instructions: readonly Instruction[];
}

/**
 * Splits a Dockerfile into instructions: the escape directive, comments (also between continued lines), empty lines,
 * continuations, and the bodies of here-documents, which are not instructions (Dockerfile reference, "Format",
 * "Here-Documents").
 */
export function readInstructions(text: string): DockerfileText {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const escape = escapeDirective(lines);
  const instructions: Instruction[] = [];
  for (let index = 0; index < lines.length; ) {
    const first = lines[index] ?? '';
    if (isBlankOrComment(first)) {
      index++;
      continue;
    }
    const joined = joinContinued(lines, index, escape);
    const [, name = '', rest = ''] = /^\s*(\S+)\s*([\s\S]*)$/.exec(joined.text) ?? [];
    instructions.push({ name: name.toUpperCase(), rest: rest.trim(), line: index + 1 });
    index = afterHereDocuments(lines, joined.next, name, rest);
  }
  return { escape, instructions };
}

/** Directives stand before everything else, and only there. */
function escapeDirective(lines: readonly string[]): Escape {
  for (const line of lines) {
    const directive = /^\s*#\s*(\w+)\s*=\s*(\S+)\s*$/.exec(line);
    if (directive === null) break;
    if (directive[1]?.toLowerCase() === 'escape') return directive[2] === '`' ? '`' : '\\';
  }
  return '\\';
}

function joinContinued(lines: readonly string[], start: number, escape: Escape): { text: string; next: number } {
  let text = '';
  let next = start;
  while (next < lines.length) {
    const line = lines[next] ?? '';
    next++;
    if (next - 1 > start && isBlankOrComment(line)) continue;
    const continued = line.replace(escape === '\\' ? /\\[ \t]*$/ : /`[ \t]*$/, '');
    text += continued;
    if (continued === line) break;
  }
  return { text, next };
}

function afterHereDocuments(lines: readonly string[], start: number, name: string, rest: string): number {
  if (!/^(run|copy|add)$/i.test(name)) return start;
  let next = start;
  for (const [, dash = '', word = ''] of rest.matchAll(/(?:^|\s)\d*<<(-?)["']?([A-Za-z_][A-Za-z0-9_]*)["']?/g)) {
    while (next < lines.length && (dash === '' ? lines[next] : lines[next]?.replace(/^\t+/, '')) !== word) next++;
    next++;
  }
  return next;
}

function isBlankOrComment(line: string): boolean {
  return /^\s*(#.*)?$/.test(line);
}
