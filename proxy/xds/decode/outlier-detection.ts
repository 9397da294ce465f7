import type { OutlierDetection as OutlierDetectionMessage } from '../../../xds/messages.js';
import type { OutlierDetection } from '../../cluster/outlier-detection.ts';
import { durationMs, ResourceError } from './unpack.ts';

/** What is not said is Envoy's default (outlier_detection.proto). Undefined: none is wanted. */
export function outlierDetection(message: OutlierDetectionMessage | null): OutlierDetection | undefined {
  if (message === null) return undefined;
  const baseEjectionMs = durationMs(message.baseEjectionTime) ?? 30_000;
  const detection: OutlierDetection = {
    consecutive5xx: message.consecutive_5xx?.value ?? 5,
    consecutiveGatewayFailure: message.consecutiveGatewayFailure?.value ?? 5,
    enforcing: {
      consecutive_5xx: message.enforcingConsecutive_5xx?.value ?? 100,
      consecutive_gateway_failure: message.enforcingConsecutiveGatewayFailure?.value ?? 0,
      success_rate: message.enforcingSuccessRate?.value ?? 100,
      failure_percentage: message.enforcingFailurePercentage?.value ?? 0,
    },
    intervalMs: durationMs(message.interval) ?? 10_000,
    baseEjectionMs,
    maxEjectionMs: durationMs(message.maxEjectionTime) ?? Math.max(300_000, baseEjectionMs),
    maxEjectionJitterMs: durationMs(message.maxEjectionTimeJitter) ?? 0,
    maxEjectionPercent: message.maxEjectionPercent?.value ?? 10,
    alwaysEjectOneHost: message.alwaysEjectOneHost?.value ?? false,
    successRate: {
      minimumHosts: message.successRateMinimumHosts?.value ?? 5,
      requestVolume: message.successRateRequestVolume?.value ?? 100,
      stdevFactor: (message.successRateStdevFactor?.value ?? 1900) / 1000,
    },
    failurePercentage: {
      threshold: message.failurePercentageThreshold?.value ?? 85,
      minimumHosts: message.failurePercentageMinimumHosts?.value ?? 5,
      requestVolume: message.failurePercentageRequestVolume?.value ?? 50,
    },
  };
  if (detection.intervalMs <= 0) throw new ResourceError('outlier detection interval: wanted more than 0');
  if (detection.maxEjectionMs < detection.baseEjectionMs)
    throw new ResourceError('outlier detection max_ejection_time: is below base_ejection_time');
  return detection;
}
