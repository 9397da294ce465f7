import { ORDINARY } from '../http1/field-kind.ts';
import { MAX_TRAILER_BYTES } from '../http1/limits.ts';
import { isTrailerName } from '../http1/trailers.ts';
import type { FieldSink } from './hpack/decoder.ts';
import type { Field } from './hpack/field.ts';

/** Reads trailers as HTTP/1.1's lines, which is how they go through the engine. One per message that has some. */
export class TrailerFields implements FieldSink {
  /** Each with its CRLF; what may not be a trailer has been left out (RFC 9110 section 6.5.1). */
  lines = '';
  /** Not what RFC 9113 section 8.1 lets trailers be. */
  malformed = false;
  #bytes = 0;

  field(field: Field): void {
    this.#bytes += field.size;
    if (!field.sound || field.pseudo !== '' || this.#bytes > MAX_TRAILER_BYTES) this.malformed = true;
    else if (field.kind === ORDINARY && isTrailerName(field.name)) this.lines += field.line;
  }
}
