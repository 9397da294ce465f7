import type { Labels } from './metric-list.ts';

/**
 * Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). Written here because a metrics
 * library keeps values of its own, which a proxy has elsewhere, and costs each sidecar 3 MB; promtool judges the result.
 */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** One metric's lines, series by series. */
export class Family {
  readonly #name: string;
  #text: string;

  constructor(name: string, type: 'counter' | 'gauge' | 'histogram', help: string) {
    this.#name = name;
    this.#text = `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
  }

  /** `suffix` is a histogram's `_bucket`, `_sum` or `_count`. */
  add(labels: Labels, value: number, suffix = ''): void {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    this.#text += `${this.#name}${suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${written(value)}\n`;
  }

  toString(): string {
    return this.#text;
  }
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function written(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
