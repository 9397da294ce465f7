import type { Service } from '../../../api/kinds/service.ts';
import { DEFAULT_OUTLIER_POLICY, parseOutlierPolicy } from '../../../api/meta/outlier-policy.ts';
import { OUTLIER_DETECTION } from '../../../api/meta/well-known.ts';
import type { ClusterInput } from '../../../xds/messages.js';
import { durationOf } from './any.ts';

/**
 * How a Service's endpoints are judged by their answers (docs/decisions/0025). Everything that has another default in Envoy is said, so
 * that every proxy judges alike. An annotation that cannot be read is as good as none: the API server has warned of it.
 */
export function outlierDetectionOf(service: Service): Pick<ClusterInput, 'outlierDetection' | 'commonLbConfig'> {
  const parsed = parseOutlierPolicy(service.metadata.annotations?.[OUTLIER_DETECTION]);
  const policy = 'policy' in parsed ? parsed.policy : DEFAULT_OUTLIER_POLICY;
  if (policy === undefined) return {};
  const { consecutive5xxErrors, consecutiveGatewayErrors } = policy;
  return {
    outlierDetection: {
      ...(consecutive5xxErrors === 0 ? {} : { consecutive_5xx: { value: consecutive5xxErrors } }),
      enforcingConsecutive_5xx: { value: consecutive5xxErrors === 0 ? 0 : 100 },
      ...(consecutiveGatewayErrors === 0 ? {} : { consecutiveGatewayFailure: { value: consecutiveGatewayErrors } }),
      enforcingConsecutiveGatewayFailure: { value: consecutiveGatewayErrors === 0 ? 0 : 100 },
      interval: durationOf(policy.intervalMs),
      baseEjectionTime: durationOf(policy.baseEjectionTimeMs),
      maxEjectionPercent: { value: policy.maxEjectionPercent },
    },
    commonLbConfig: { healthyPanicThreshold: { value: policy.minHealthPercent } },
  };
}
