/** Lines of a head, and what they are in a header block. */
export interface KeptLines {
  /** Whole ones, each with its CRLF. */
  readonly lines: string;
  /** The `:authority` that they name, or ''; encoded. */
  readonly authority: string;
  /** Encoded. */
  readonly fields: string;
}

const MAX_KEPT = 8;
const MAX_CANDIDATES = 4;
const MAX_BYTES = 2048;
/** Fewer are as soon encoded as found. */
const MIN_BYTES = 24;

/**
 * What many heads have in common, from call to call: what one client sends with each, and what is said of where it came from. Lines are
 * kept once they have come twice within a few heads that were not known, so that those which never come again keep nothing out. What is
 * found is compared whole, byte by byte.
 */
export class KeptHeads {
  /** The last used first. */
  readonly #kept: KeptLines[] = [];
  readonly #candidates: string[] = Array.from({ length: MAX_CANDIDATES }, () => '');
  #next = 0;

  /** The longest lines that are known to stand in `head` from `at` on. */
  find(head: string, at: number): KeptLines | undefined {
    const kept = this.#kept;
    let found = -1;
    let longest = 0;
    for (let index = 0; index < kept.length; index++) {
      const lines = kept[index]?.lines ?? '';
      // V8 compares strings by the word, and what startsWith looks for by the character: a tenth of the time.
      if (lines.length <= longest || head.slice(at, at + lines.length) !== lines) continue;
      found = index;
      longest = lines.length;
    }
    const known = kept[found];
    if (known !== undefined && found > 0) {
      kept.splice(found, 1);
      kept.unshift(known);
    }
    return known;
  }

  /** These were encoded, because they, or the last of them, were not found. */
  saw(lines: KeptLines): void {
    const { length } = lines.lines;
    if (length < MIN_BYTES || length > MAX_BYTES) return;
    const seen = this.#candidates.indexOf(lines.lines);
    if (seen < 0) {
      this.#candidates[this.#next] = lines.lines;
      this.#next = (this.#next + 1) % MAX_CANDIDATES;
      return;
    }
    this.#candidates[seen] = '';
    this.#kept.unshift({ lines: flat(lines.lines), authority: flat(lines.authority), fields: flat(lines.fields) });
    if (this.#kept.length > MAX_KEPT) this.#kept.pop();
  }
}

/** Text of its own, in one piece: a piece of a head would keep the head, and one of many pieces would be walked through each time. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
