/**
 * Why a request ended as it did, beside its status: Envoy's response flags where it has one (access log, %RESPONSE_FLAGS%).
 * The order is the layout of the counters. docs/reference/reason-codes.md lists them; a test holds the two together.
 */
export const REASONS = [
  ['', 'the upstream answered'],
  ['NR', 'no route takes the request'],
  ['NC', 'the route names a cluster that is not known'],
  ['UH', 'the cluster has no healthy endpoint'],
  ['UO', 'the cluster has as many requests in flight as it may'],
  ['UF', 'no connection to the upstream could be made; nothing reached it'],
  ['UC', 'the upstream closed the connection before or within its answer'],
  ['UT', 'the upstream took longer than the route allows'],
  ['UPE', 'the upstream answered with something that is not HTTP'],
  ['URX', 'every retry was used and the last answer was a failure too'],
  ['DC', 'the client went away before the answer was complete'],
  ['DPE', 'the client sent something that is not HTTP, or that is not safe to forward'],
  ['DT', 'the client took too long to send its request'],
] as const;

export type Reason = (typeof REASONS)[number][0];

export const REASON_COUNT = REASONS.length;

const INDEX = new Map<string, number>(REASONS.map(([reason], index) => [reason, index]));

export function reasonIndex(reason: Reason): number {
  return INDEX.get(reason) ?? 0;
}

/** A reason that came over the wire, if it is one of ours. */
export function parseReason(text: string | undefined): Reason | undefined {
  return text === undefined || text === '' || !INDEX.has(text) ? undefined : (text as Reason);
}

/** Failures of a mesh proxy on the way that are sure not to have reached an application: safe to repeat for every method. */
export function nothingReachedTheApp(reason: Reason): boolean {
  return reason === 'UF' || reason === 'UH' || reason === 'UO' || reason === 'NC';
}
