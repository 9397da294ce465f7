import type { ClusterConfig } from '../cluster/cluster-config.ts';
import { MESH_REASON } from '../http1/field-kind.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { RetryPolicy } from '../route/route-table.ts';
import { parseReason } from '../telemetry/reason.ts';
import type { AnswerFailure } from './retry.ts';

/** Of a plan (route/plan.ts): where it goes, and what its route says of other tries. */
interface Asked {
  readonly cluster: { readonly config: Pick<ClusterConfig, 'tls'> };
  readonly action: { readonly retry?: Pick<RetryPolicy, 'statuses'> | undefined };
}

/** The failure that an answer is, if another try may be worth more than it. */
export function failureIn(
  { status, fields }: Pick<ResponseHead, 'status' | 'fields'>,
  { cluster, action }: Asked,
): AnswerFailure | undefined {
  // Only a mesh proxy's word counts, and only over a connection that proved to be one.
  const meshReason = cluster.config.tls === undefined ? undefined : parseReason(fields.valueOf(MESH_REASON));
  const failed = status >= 500 || meshReason !== undefined || action.retry?.statuses.includes(status) === true;
  return failed ? { kind: 'answer', status, meshReason } : undefined;
}
