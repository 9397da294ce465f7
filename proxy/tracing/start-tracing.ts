import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Random } from '../../kit/random.ts';
import type { Bootstrap } from '../bootstrap/bootstrap.ts';
import { otlpSender } from './otlp-sender.ts';
import { Tracer } from './tracer.ts';

/** All that a proxy's tracing is told; it crosses threads. */
export interface TracingSetup
  extends NonNullable<Bootstrap['tracing']>,
    Pick<Bootstrap, 'namespace' | 'name' | 'mode'> {
  /** OTEL_EXPORTER_OTLP_HEADERS: `name=value,name=value`, percent-encoded; what a collector knows its senders by. */
  readonly headers: string | undefined;
  readonly version: string;
}

/** A tracer that sends where the bootstrap says, under the workload's name. */
export function startTracing(
  { endpoint, samplingRatio, serviceName, namespace, name, mode, headers, version }: TracingSetup,
  shared: { readonly clock: Clock; readonly random: Random; readonly log: Logger },
): Tracer {
  // Semantic conventions, "service" and "k8s": an instance is named by its namespace, pod and container.
  const resource = {
    'service.name': serviceName,
    'service.namespace': namespace,
    'service.instance.id': `${namespace}.${name}.proxy`,
    'service.version': version,
    ...(mode === 'sidecar' ? { 'k8s.namespace.name': namespace, 'k8s.pod.name': name } : { 'host.name': name }),
  };
  const send = otlpSender({ endpoint, headers: headersOf(headers), source: { resource, version } });
  return new Tracer({ ...shared, samplingRatio, send });
}

/** OpenTelemetry's environment variable, in the form of W3C Baggage. What has no value is overlooked. */
export function headersOf(text = ''): Readonly<Record<string, string>> {
  const pairs = text.split(',').flatMap((pair) => {
    const at = pair.indexOf('=');
    return at <= 0 ? [] : [[pair.slice(0, at).trim().toLowerCase(), decoded(pair.slice(at + 1).trim())] as const];
  });
  return Object.fromEntries(pairs);
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
