import type { FastifyReply } from 'fastify';

/** As many bytes of warnings as kube-apiserver sends at most (endpoints/filters/warning.go, maxWarnings). */
const MAX_BYTES = 4096;

/** Collects what a client should know of its request, each thing once. */
export class Warnings {
  readonly #texts = new Set<string>();
  #bytes = 0;

  readonly add = (text: string): void => {
    if (this.#texts.has(text) || this.#bytes + text.length > MAX_BYTES) return;
    this.#bytes += text.length;
    this.#texts.add(text);
  };

  /** As `Warning: 299 - "text"` (RFC 7234, section 5.5). */
  sendWith(reply: FastifyReply): void {
    if (this.#texts.size > 0) void reply.header('warning', [...this.#texts].map(headerValue));
  }
}

function headerValue(text: string): string {
  // Header fields are visible ASCII; what else a message quotes is shown as a question mark.
  const visible = text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&');
  return `299 - "${visible}"`;
}
