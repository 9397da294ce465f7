import type { RequestDraft } from '../filters/request-draft.ts';
import type { CompiledEdits } from '../route/header-edits.ts';
import { EXPECT, HOST } from './field-kind.ts';
import type { HeadFields } from './head-fields.ts';

export interface RequestLine {
  readonly target: string;
  /** What the Host field says when the client's may not stand; undefined keeps the client's. */
  readonly host: string | undefined;
  /** The protocol to upgrade to, or ''. */
  readonly upgrade: string;
}

/** The head that goes upstream: always HTTP/1.1, and its framing stated by us, never copied with a hop-by-hop field. */
export function renderRequest(draft: RequestDraft, line: RequestLine, edits: CompiledEdits | undefined): string {
  const { head } = draft;
  if (edits !== undefined) head.fields.removeNames(edits.removes);
  let drop = draft.drop;
  if (line.host !== undefined) drop |= HOST;
  if (!head.expectsContinue) drop |= EXPECT;
  let out: string;
  if (line.host === undefined && head.canKeepLine(line.target)) out = keptText(head.fields, drop, 0);
  else {
    out = `${head.method} ${line.target} HTTP/1.1\r\n`;
    if (line.host !== undefined) out += `host: ${line.host}\r\n`;
    out += keptText(head.fields, drop, head.fields.start);
  }
  out += edits === undefined ? draft.added : withoutLines(draft.added, edits.removes) + edits.adds;
  if (head.fields.chunked) out += 'transfer-encoding: chunked\r\n';
  if (line.upgrade !== '') out += `connection: upgrade\r\nupgrade: ${line.upgrade}\r\n`;
  return `${out}\r\n`;
}

/** A head's text from `start` on without the fields whose kind is in `drop`: long runs between dropped ones are cut out whole. */
export function keptText(fields: HeadFields, drop: number, start: number): string {
  let out = '';
  let runStart = start;
  for (let index = 0; index < fields.count; index++) {
    if (((fields.kinds[index] ?? 0) & drop) === 0) continue;
    const lineStart = fields.nameStarts[index] ?? 0;
    if (lineStart > runStart) out += fields.text.slice(runStart, lineStart);
    runStart = index + 1 < fields.count ? (fields.nameStarts[index + 1] ?? 0) : fields.end;
  }
  if (fields.end > runStart) out += fields.text.slice(runStart, fields.end);
  return out;
}

/** A route's edits have the last word, also over what the filters added. */
function withoutLines(lines: string, names: ReadonlySet<string>): string {
  let out = '';
  for (const line of lines.split('\r\n')) {
    if (line !== '' && !names.has(line.slice(0, line.indexOf(':')))) out += `${line}\r\n`;
  }
  return out;
}
