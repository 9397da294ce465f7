import { relative } from 'node:path';

/** An event of node:test's run(), as far as it is looked at here. */
export interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name?: string;
    readonly file?: string;
    readonly nesting?: number;
    readonly message?: string;
    readonly skip?: boolean | string;
    readonly success?: boolean;
    readonly duration_ms?: number;
  };
}

const SUMMARY = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/;

const SLOWEST = 12;

/** Joins several runs into one closing summary in node's own form; lists what was skipped and the files that took longest. */
export class TestTotals {
  readonly #sums = new Map<string, number>();
  readonly #skipped: string[] = [];
  readonly #files: { readonly file: string; readonly seconds: number }[] = [];
  failed = false;

  /** Counts the event; false for a run's own summary lines, which must not be printed before the last run. */
  take(event: TestEvent): boolean {
    const { type, data } = event;
    if (type === 'test:fail') this.failed = true;
    if (type === 'test:pass' && data.skip !== undefined && data.skip !== false) {
      this.#skipped.push(`${data.name ?? ''}${typeof data.skip === 'string' ? ` (${data.skip})` : ''}`);
    }
    if (type === 'test:summary') {
      if (data.file === undefined) return false;
      this.#files.push({ file: data.file, seconds: (data.duration_ms ?? 0) / 1000 });
      return true;
    }
    const match = type === 'test:diagnostic' && data.nesting === 0 ? SUMMARY.exec(data.message ?? '') : null;
    if (match === null) return true;
    this.#sums.set(match[1] ?? '', (this.#sums.get(match[1] ?? '') ?? 0) + Number(match[2]));
    return false;
  }

  *summary(): Generator<TestEvent> {
    const line = (message: string): TestEvent => ({ type: 'test:diagnostic', data: { nesting: 0, message } });
    const slowest = this.#files.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
    for (const { file, seconds } of slowest) yield line(`${seconds.toFixed(1)} s in ${relative(process.cwd(), file)}`);
    for (const name of this.#skipped) yield line(`skipped: ${name}`);
    for (const [name, sum] of this.#sums) yield line(`${name} ${sum}`);
  }
}
