import type { CompiledEdits } from '../route/header-edits.ts';
import type { Outbox } from '../socket/outbox.ts';
import type { Framing } from './body-reader.ts';
import { renderOwnAnswer } from './own-answer.ts';
import { renderResponse } from './render-response.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n';
const UPGRADED = 'connection: upgrade\r\nupgrade: websocket\r\n';
const LAST_CHUNK = '0\r\n\r\n';

/** Writes one answer after the other in the form that the client of the moment understands. */
export class ResponseWriter {
  /** Another request may follow on the connection; settled before a head is written, which says so. */
  keepAlive = true;
  readonly #outbox: Outbox;
  #http10 = false;
  #withoutBody = false;
  #framing: Framing = 'none';
  #acceptsTrailers = false;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** The next answer is to this request. */
  expect(request: RequestHead): void {
    this.keepAlive = request.keepAlive;
    this.#http10 = request.http10;
    this.#withoutBody = request.method === 'HEAD';
    this.#acceptsTrailers = request.fields.acceptsTrailers;
  }

  /** A whole answer of our own. `fields`: lines with their CRLF. */
  own(status: number, body: string, fields: string): void {
    const text = renderOwnAnswer({ status, body, fields: fields + this.#connection(), withoutBody: this.#withoutBody });
    this.#outbox.text(text);
  }

  /** CONNECT's 200. Some clients (undici) say `Connection: close` with it; the tunnel is what they want to keep. */
  established(): void {
    this.keepAlive = true;
    this.#outbox.text(ESTABLISHED);
  }

  /** HTTP/1.0 knows no 1xx (RFC 9110 section 15.2). */
  interim(head: ResponseHead): void {
    if (!this.#http10) this.#outbox.text(renderResponse(head, { framing: 'none', connection: '' }, undefined));
  }

  switched(head: ResponseHead, edits: CompiledEdits | undefined): void {
    this.#outbox.text(renderResponse(head, { framing: 'none', connection: UPGRADED }, edits));
  }

  /** A body whose length nobody told is chunked, or for HTTP/1.0 ends with the connection. */
  start(head: ResponseHead, framing: Framing, edits: CompiledEdits | undefined): void {
    this.#framing = framing;
    if (framing === 'chunked' || framing === 'until-close') this.#framing = this.#http10 ? 'until-close' : 'chunked';
    if (this.#framing === 'until-close') this.keepAlive = false;
    const shape = { framing: this.#framing, connection: this.#connection() };
    this.#outbox.text(renderResponse(head, shape, edits));
  }

  body(from: Buffer, start: number, end: number): void {
    if (this.#framing !== 'chunked') {
      this.#outbox.bytes(from, start, end);
      return;
    }
    this.#outbox.text(`${(end - start).toString(16)}\r\n`);
    this.#outbox.bytes(from, start, end);
    this.#outbox.text('\r\n');
  }

  /** `trailers`: lines with their CRLF; for clients that said they read them (RFC 9110 section 6.5.1). */
  end(trailers: string): void {
    if (this.#framing === 'chunked') {
      this.#outbox.text(trailers === '' || !this.#acceptsTrailers ? LAST_CHUNK : `0\r\n${trailers}\r\n`);
    }
    this.#framing = 'none';
    this.#outbox.flushSoon();
  }

  #connection(): string {
    if (!this.keepAlive) return 'connection: close\r\n';
    return this.#http10 ? 'connection: keep-alive\r\n' : '';
  }
}
