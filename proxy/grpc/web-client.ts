import type { Framing } from '../http1/body-reader.ts';
import { CONTENT_TYPE } from '../http1/field-kind.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { CompiledEdits } from '../route/header-edits.ts';
import type { Tunnel } from '../socket/tunnel.ts';
import type { TunnelEnd } from '../socket/tunnel-end.ts';
import type { Client, OwnReply } from '../upstream/client.ts';
import { kindOfType } from './call-kind.ts';
import { responseEdits, trailersMessage, type WebCall } from './web.ts';

const LENGTH: ReadonlySet<string> = new Set(['content-length']);

/** A client that speaks gRPC-Web, to whom an application answers in gRPC. An answer that is none goes through as it is. */
export class WebClient implements Client {
  readonly #client: Client;
  readonly #call: WebCall;
  #translates = false;

  constructor(client: Client, call: WebCall) {
    this.#client = client;
    this.#call = call;
  }

  get protocol(): 'http1' | 'http2' {
    return this.#client.protocol;
  }

  get tunnelEnd(): TunnelEnd | undefined {
    return this.#client.tunnelEnd;
  }

  answer(reply: OwnReply, nowMs: number): void {
    this.#client.answer(reply, nowMs);
  }

  interim(head: ResponseHead): void {
    this.#client.interim(head);
  }

  startResponse(head: ResponseHead, framing: Framing, edits: CompiledEdits | undefined): void {
    const type = head.fields.valueOf(CONTENT_TYPE) ?? '';
    if (kindOfType(type) !== 'grpc') {
      this.#client.startResponse(head, framing, edits);
      return;
    }
    // Without a body the status is in the head, where gRPC-Web's clients look for it too.
    this.#translates = framing !== 'none';
    // What we add and how text is padded changes the length.
    if (this.#translates) head.fields.removeNames(LENGTH);
    this.#client.startResponse(head, this.#translates ? 'chunked' : framing, responseEdits(type, this.#call, edits));
  }

  body(from: Buffer, start: number, end: number): void {
    if (!this.#translates || !this.#call.textResponse) this.#client.body(from, start, end);
    else {
      const text = Buffer.from(from.toString('base64', start, end), 'latin1');
      this.#client.body(text, 0, text.length);
    }
  }

  flush(): boolean {
    return this.#client.flush();
  }

  endResponse(nowMs: number, trailers: string): void {
    if (!this.#translates) {
      this.#client.endResponse(nowMs, trailers);
      return;
    }
    const message = trailersMessage(trailers);
    this.body(message, 0, message.length);
    this.#client.endResponse(nowMs, '');
  }

  abort(): void {
    this.#client.abort();
  }

  pauseUpload(): void {
    this.#client.pauseUpload();
  }

  resumeUpload(): void {
    this.#client.resumeUpload();
  }

  startRequestTimeout(nowMs: number, timeoutMs: number): void {
    this.#client.startRequestTimeout(nowMs, timeoutMs);
  }

  stopRequestTimeout(): void {
    this.#client.stopRequestTimeout();
  }

  joinTunnel(tunnel: Tunnel, establish: 'established' | 'establish'): void {
    this.#client.joinTunnel(tunnel, establish);
  }
}
