import { stripVTControlCharacters } from 'node:util';

/** Left-aligned columns three spaces apart, as kubectl prints them. An empty table is an empty text. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return growingTable()([header, ...rows]);
}

/** For lines that come bit by bit: those that follow stand under those before, and a wider cell widens its column. */
export function growingTable(): (lines: readonly (readonly string[])[]) => string {
  let widths: number[] = [];
  return (lines) => {
    const columns = Math.max(widths.length, ...lines.map((line) => line.length));
    widths = Array.from({ length: columns }, (_, at) =>
      Math.max(widths[at] ?? 0, ...lines.map((line) => width(line[at] ?? ''))),
    );
    return lines.map((line) => `${renderLine(line, widths)}\n`).join('');
  };
}

function renderLine(line: readonly string[], widths: readonly number[]): string {
  return line
    .map((cell, at) => (at === line.length - 1 ? cell : cell + ' '.repeat((widths[at] ?? 0) - width(cell) + 3)))
    .join('')
    .trimEnd();
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
