const NEWLINE = 10;

/** Puts the time before each line of a stream of bytes; a line may come in several pieces. */
export class LinePrinter {
  #atLineStart = true;

  /** `timeOf` tells the time of the byte at an index of these bytes. */
  print(bytes: Uint8Array, timeOf: (index: number) => number): Uint8Array {
    const pieces: Uint8Array[] = [];
    for (let start = 0; start < bytes.length; ) {
      if (this.#atLineStart) pieces.push(Buffer.from(`${new Date(timeOf(start)).toISOString()} `));
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline < 0 ? bytes.length : newline + 1;
      pieces.push(bytes.subarray(start, end));
      this.#atLineStart = newline >= 0;
      start = end;
    }
    return Buffer.concat(pieces);
  }
}
