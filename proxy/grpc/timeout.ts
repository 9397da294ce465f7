const FORM = /^(\d{1,8})([HMSmun])$/;

const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };

/** `grpc-timeout` in milliseconds (gRPC's PROTOCOL-HTTP2.md), at least 1; undefined when it is missing or no such value. */
export function grpcTimeoutMs(text: string | undefined): number | undefined {
  const [, digits, unit = ''] = text === undefined ? [] : (FORM.exec(text) ?? []);
  return digits === undefined ? undefined : Math.max(1, Math.ceil(Number(digits) * (UNIT_MS[unit] ?? 1)));
}
