/** Why an endpoint was taken for an outlier; Envoy's words (data.cluster.v3.OutlierEjectionType). */
export type EjectionCause = 'consecutive_gateway_failure' | 'consecutive_5xx' | 'success_rate' | 'failure_percentage';

/** How a cluster judges its endpoints by their answers: Envoy's config.cluster.v3.OutlierDetection, field by field. */
export interface OutlierDetection {
  readonly consecutive5xx: number;
  /** Answers of 502 to 504, and tries without an answer. */
  readonly consecutiveGatewayFailure: number;
  /** Percent of the cases found in which the endpoint is really ejected; 0 is off. */
  readonly enforcing: Readonly<Record<EjectionCause, number>>;
  /** Between two looks at success rates, and at who may come back. */
  readonly intervalMs: number;
  /** Times how often the endpoint has been ejected lately, up to `maxEjectionMs`, and up to so much more by chance. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  readonly maxEjectionJitterMs: number;
  /** Of the cluster's endpoints; who would go beyond it stays. */
  readonly maxEjectionPercent: number;
  readonly alwaysEjectOneHost: boolean;
  readonly successRate: { readonly minimumHosts: number; readonly requestVolume: number; readonly stdevFactor: number };
  readonly failurePercentage: {
    readonly threshold: number;
    readonly minimumHosts: number;
    readonly requestVolume: number;
  };
}

/** What the detection knows of one endpoint. Written by these functions alone, in place: each answer passes here. */
export class OutlierRecord {
  consecutive5xx = 0;
  consecutiveGatewayFailure = 0;
  /** Answers since the last sweep. */
  succeeded = 0;
  total = 0;
  ejected = false;
  ejectedAtMs = 0;
  ejectedForMs = 0;
  /** Of the last ejection; undefined before the first. */
  cause: EjectionCause | undefined = undefined;
  /** Since the endpoint is known. */
  ejections = 0;
  /** What the base time is multiplied by; falls again while all is well. */
  backoff = 0;
  /** Undefined before the first return. */
  returnedAtMs: number | undefined = undefined;

  /** An answer below 500. */
  succeed(): void {
    this.consecutive5xx = 0;
    this.consecutiveGatewayFailure = 0;
    this.succeeded++;
    this.total++;
  }
}

export interface Outlier<Host> {
  readonly host: Host;
  readonly cause: EjectionCause;
}

interface Watched {
  readonly outlier: OutlierRecord;
}

/**
 * Counts an answer of 500 or more, or a try without an answer by the status that its client would get. Gives what it makes of
 * the endpoint, in Envoy's order: a gateway failure counts as both, and either may be off.
 */
export function noteFailure(record: OutlierRecord, status: number, config: OutlierDetection): readonly EjectionCause[] {
  record.total++;
  record.consecutive5xx++;
  record.consecutiveGatewayFailure = isGatewayFailure(status) ? record.consecutiveGatewayFailure + 1 : 0;
  const causes: EjectionCause[] = [];
  if (record.consecutiveGatewayFailure === config.consecutiveGatewayFailure) causes.push('consecutive_gateway_failure');
  if (record.consecutive5xx === config.consecutive5xx) causes.push('consecutive_5xx');
  return causes;
}

/** What was found once is not found again before as many failures more. */
export function forget(record: OutlierRecord, cause: EjectionCause): void {
  if (cause === 'consecutive_5xx') record.consecutive5xx = 0;
  if (cause === 'consecutive_gateway_failure') record.consecutiveGatewayFailure = 0;
}

/** Whether one more of the cluster's endpoints may go. */
export function hasRoom(ejected: number, hosts: number, config: OutlierDetection): boolean {
  if (config.alwaysEjectOneHost && ejected === 0) return true;
  return (100 * (ejected + 1)) / hosts <= config.maxEjectionPercent;
}

/** `chance`: in [0, 1), for the jitter. */
export function eject(
  record: OutlierRecord,
  cause: EjectionCause,
  nowMs: number,
  chance: number,
  config: OutlierDetection,
): void {
  const { baseEjectionMs, maxEjectionMs, maxEjectionJitterMs } = config;
  begin(record, cause, nowMs, config);
  record.ejectedForMs = Math.min(baseEjectionMs * record.backoff, maxEjectionMs) + chance * maxEjectionJitterMs;
  record.ejections++;
}

/** Another worker has found it, and counts it: it goes here for as long as there. */
export function ejectAsTold(
  record: OutlierRecord,
  { cause, forMs }: { readonly cause: EjectionCause; readonly forMs: number },
  nowMs: number,
  config: OutlierDetection,
): void {
  begin(record, cause, nowMs, config);
  record.ejectedForMs = forMs;
}

function begin(
  record: OutlierRecord,
  cause: EjectionCause,
  nowMs: number,
  { baseEjectionMs, maxEjectionMs }: OutlierDetection,
): void {
  record.cause = cause;
  if (record.backoff * baseEjectionMs < maxEjectionMs + baseEjectionMs) record.backoff++;
  record.ejected = true;
  record.ejectedAtMs = nowMs;
}

/** The turns of the interval that have come since the last sweep: `count` of them, the last at `atMs`. */
export interface Turns {
  readonly atMs: number;
  readonly count: number;
}

/** Those whose time was over come back, at the turn at which a timer would have let them; others' multipliers fall. */
export function settle(record: OutlierRecord, { atMs, count }: Turns, { intervalMs }: OutlierDetection): void {
  if (record.ejected) {
    const overdueMs = atMs - record.ejectedAtMs - record.ejectedForMs;
    if (overdueMs < 0) return;
    record.ejected = false;
    record.returnedAtMs = atMs - Math.floor(overdueMs / intervalMs) * intervalMs;
    record.consecutive5xx = 0;
    record.consecutiveGatewayFailure = 0;
  }
  if (record.returnedAtMs === undefined) return;
  const well = Math.min(count, Math.floor((atMs - record.returnedAtMs) / intervalMs));
  record.backoff = Math.max(0, record.backoff - well);
}

/** Who answered worse than the others since the last sweep, by rate and by percentage; counting begins anew. */
export function worseThanOthers<Host extends Watched>(
  hosts: readonly Host[],
  config: OutlierDetection,
): readonly Outlier<Host>[] {
  const { successRate, failurePercentage } = config;
  const rated = hosts
    .filter(({ outlier }) => !outlier.ejected && outlier.total > 0)
    .map((host) => ({ host, total: host.outlier.total, rate: (100 * host.outlier.succeeded) / host.outlier.total }));
  for (const { outlier } of hosts) {
    outlier.succeeded = 0;
    outlier.total = 0;
  }
  const byRate = rated.filter(({ total }) => total >= successRate.requestVolume);
  const byPercentage = rated.filter(({ total }) => total >= failurePercentage.requestVolume);
  const worst = threshold(
    byRate.map(({ rate }) => rate),
    successRate.stdevFactor,
  );
  const outliers: Outlier<Host>[] = [];
  if (byRate.length >= successRate.minimumHosts) {
    for (const { host, rate } of byRate) if (rate < worst) outliers.push({ host, cause: 'success_rate' });
  }
  if (byPercentage.length >= failurePercentage.minimumHosts) {
    for (const { host, rate } of byPercentage) {
      if (100 - rate >= failurePercentage.threshold) outliers.push({ host, cause: 'failure_percentage' });
    }
  }
  return outliers;
}

/** Mean less `factor` standard deviations. */
function threshold(rates: readonly number[], factor: number): number {
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
  return mean - factor * Math.sqrt(variance);
}

function isGatewayFailure(status: number): boolean {
  return status >= 502 && status <= 504;
}
