import { durationMs, durationSchema } from './duration.ts';

/** How callers judge a Service's endpoints: what {@link parseOutlierPolicy} reads. Names and meaning are Istio's (OutlierDetection). */
export interface OutlierPolicy {
  /** So many answers of 5xx in a row; 0 is off. */
  readonly consecutive5xxErrors: number;
  /** So many of 502 to 504 in a row, or tries without an answer; 0 is off. */
  readonly consecutiveGatewayErrors: number;
  readonly intervalMs: number;
  readonly baseEjectionTimeMs: number;
  readonly maxEjectionPercent: number;
  readonly minHealthPercent: number;
}

/** docs/decisions/0025 says why these. */
export const DEFAULT_OUTLIER_POLICY: OutlierPolicy = {
  consecutive5xxErrors: 0,
  consecutiveGatewayErrors: 5,
  intervalMs: 10_000,
  baseEjectionTimeMs: 30_000,
  maxEjectionPercent: 50,
  minHealthPercent: 50,
};

export type ParsedOutlierPolicy =
  /** Undefined: `off`. */
  { readonly policy: OutlierPolicy | undefined } | { readonly problem: string };

const FIELDS = {
  consecutive5xxErrors: ['consecutive5xxErrors', count],
  consecutiveGatewayErrors: ['consecutiveGatewayErrors', count],
  interval: ['intervalMs', duration],
  baseEjectionTime: ['baseEjectionTimeMs', duration],
  maxEjectionPercent: ['maxEjectionPercent', percent],
  minHealthPercent: ['minHealthPercent', percent],
} as const satisfies Record<string, readonly [keyof OutlierPolicy, (text: string) => number | string]>;

/** Reads the annotation's text. A problem says what was wanted; the same text has the same problem for the API server and a proxy's xDS. */
export function parseOutlierPolicy(text: string | undefined): ParsedOutlierPolicy {
  if (text === undefined) return { policy: DEFAULT_OUTLIER_POLICY };
  if (text.trim() === 'off') return { policy: undefined };
  const given: Partial<Record<keyof OutlierPolicy, number>> = {};
  for (const entry of text.split(',')) {
    const [name = '', value = '', ...more] = entry.split('=').map((word) => word.trim());
    if (!Object.hasOwn(FIELDS, name) || more.length > 0) {
      return { problem: `"${entry.trim()}": wanted off, or NAME=VALUE of ${Object.keys(FIELDS).join(', ')}` };
    }
    const [field, read] = FIELDS[name as keyof typeof FIELDS];
    const number = read(value);
    if (typeof number === 'string') return { problem: `"${entry.trim()}": wanted ${number}` };
    given[field] = number;
  }
  return { policy: { ...DEFAULT_OUTLIER_POLICY, ...given } };
}

function count(text: string): number | string {
  return /^\d{1,6}$/.test(text) ? Number(text) : 'a whole number';
}

function percent(text: string): number | string {
  return /^\d{1,3}$/.test(text) && Number(text) <= 100 ? Number(text) : 'a percentage from 0 to 100';
}

function duration(text: string): number | string {
  const sound = durationSchema.safeParse(text).success && durationMs(text) > 0;
  return sound ? durationMs(text) : 'a duration such as 10s';
}
