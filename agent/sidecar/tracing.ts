import type { Pod } from '../../api/kinds/pod.ts';
import type { ProxyBootstrap } from './bootstrap.ts';
import type { ProxySettings } from './proxy-settings.ts';

/** Where proxies send spans, and of how many of the requests that bring no decision with them. */
export interface TracingSettings {
  /** The whole URL: `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint: string;
  /** 0 to 1. */
  readonly samplingRatio: number;
}

/** Nothing where no spans are sent. */
export function tracingFields({ tracing }: ProxySettings, serviceName: string): Pick<ProxyBootstrap, 'tracing'> {
  return tracing === undefined ? {} : { tracing: { ...tracing, serviceName } };
}

/**
 * What a pod's workload is called in traces: as it says itself, by its recommended label, or by what made it (OpenTelemetry's semantic conventions for
 * Kubernetes, "How service.name should be calculated").
 */
export function serviceNameOf({ metadata }: Pod): string {
  const { annotations = {}, labels = {}, ownerReferences = [], name } = metadata;
  const said = annotations['resource.opentelemetry.io/service.name'] ?? labels['app.kubernetes.io/name'];
  if (said !== undefined && said !== '') return said;
  const owner = ownerReferences.find(({ controller }) => controller === true)?.name ?? name;
  const hash = labels['pod-template-hash'];
  return hash !== undefined && owner.endsWith(`-${hash}`) ? owner.slice(0, -hash.length - 1) : owner;
}
