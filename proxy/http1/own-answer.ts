import { phrase } from './phrase.ts';

export interface OwnAnswer {
  readonly status: number;
  readonly body: string;
  /** Whole lines with their CRLF. */
  readonly fields: string;
  /** The answer to HEAD says how long its body would be and has none. */
  readonly withoutBody: boolean;
}

/** The lines of an own answer's head, each with its CRLF, and the body's bytes as latin1. */
export function ownHeadLines(answer: OwnAnswer): { readonly lines: string; readonly bytes: string } {
  const body = answer.body === '' ? '' : `${answer.body}\n`;
  const bytes = Buffer.from(body, 'utf8').toString('latin1');
  const type = body === '' ? '' : 'content-type: text/plain; charset=utf-8\r\n';
  const bodiless = answer.status === 204 || answer.status === 304;
  const length = bodiless ? '' : `content-length: ${bytes.length}\r\n`;
  return { lines: type + length + answer.fields, bytes: answer.withoutBody || bodiless ? '' : bytes };
}

/** A whole answer of the proxy's own, head and body. */
export function renderOwnAnswer(answer: OwnAnswer): string {
  const { lines, bytes } = ownHeadLines(answer);
  return `HTTP/1.1 ${answer.status} ${phrase(answer.status)}\r\n${lines}\r\n${bytes}`;
}
