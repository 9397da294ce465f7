/**
 * Fields that a JSON text gives twice within one object, as paths such as `spec.replicas`: JSON.parse keeps the last and
 * says nothing. The text must be JSON; a single pass, no recursion.
 */
export function duplicateFields(text: string): readonly string[] {
  const found: string[] = [];
  const open: Container[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    const inside = open.at(-1);
    if (character === '"') {
      const end = stringEnd(text, at);
      if (inside?.expectsName === true) {
        inside.name = JSON.parse(text.slice(at, end)) as string;
        inside.expectsName = false;
        if (inside.names.has(inside.name)) found.push(pathOf(open));
        inside.names.add(inside.name);
      }
      at = end - 1;
    } else if (character === '{') open.push({ names: new Set(), name: '', index: -1, expectsName: true });
    else if (character === '[') open.push({ names: new Set(), name: '', index: 0, expectsName: false });
    else if (character === '}' || character === ']') open.pop();
    else if (character === ',' && inside !== undefined) {
      if (inside.index >= 0) inside.index += 1;
      else inside.expectsName = true;
    }
  }
  return found;
}

interface Container {
  readonly names: Set<string>;
  /** The field that is being read, of an object. */
  name: string;
  /** The item that is being read, of an array; -1 for an object. */
  index: number;
  expectsName: boolean;
}

/** One past the closing quote. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function pathOf(open: readonly Container[]): string {
  return open.reduce((path, { name, index }) => {
    if (index >= 0) return `${path}[${index}]`;
    return path === '' ? name : `${path}.${name}`;
  }, '');
}
