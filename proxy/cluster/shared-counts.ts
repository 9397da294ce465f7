/** A worker's cells stand this far apart, so that no two cores write to one cache line. */
const CELLS_PER_WORKER = 16;
const ACTIVE = 0;
const UPLOADS = 1;

/**
 * How many requests each worker of a process has under way to one cluster, in memory that all of them see: a limit is the process's, as Envoy's. A worker
 * writes its own cells and reads the others', so nothing is lost with one that fails. Two that look at the same moment may both find the
 * last place free.
 */
export class SharedCounts {
  readonly #cells: Int32Array;
  readonly #own: number;

  constructor(memory: SharedArrayBuffer, worker: number) {
    this.#cells = new Int32Array(memory);
    this.#own = worker * CELLS_PER_WORKER;
  }

  static memory(workers: number): SharedArrayBuffer {
    return new SharedArrayBuffer(workers * CELLS_PER_WORKER * Int32Array.BYTES_PER_ELEMENT);
  }

  /** Of a worker that has failed. */
  static clear(memory: SharedArrayBuffer, worker: number): void {
    const own = new SharedCounts(memory, worker);
    own.setActive(0);
    own.setUploads(0);
  }

  /** Requests and connections, uploads among them. */
  setActive(count: number): void {
    Atomics.store(this.#cells, this.#own + ACTIVE, count);
  }

  /** Requests whose bodies are still coming and whose upstream has been asked. */
  setUploads(count: number): void {
    Atomics.store(this.#cells, this.#own + UPLOADS, count);
  }

  /** What the other workers have that is whole. */
  get wholeElsewhere(): number {
    return this.#elsewhere(ACTIVE) - this.uploadsElsewhere;
  }

  get uploadsElsewhere(): number {
    return this.#elsewhere(UPLOADS);
  }

  #elsewhere(cell: number): number {
    let sum = 0;
    for (let at = 0; at < this.#cells.length; at += CELLS_PER_WORKER) {
      if (at !== this.#own) sum += Atomics.load(this.#cells, at + cell);
    }
    return sum;
  }
}
