import { type Command, Option } from 'commander';
import type { TracingSettings } from '../../agent/sidecar/tracing.ts';
import { CommandError } from '../output/exit-codes.ts';

export interface TracingFlags {
  readonly tracingEndpoint?: string;
  readonly tracingSampling: string;
}

/** OpenTelemetry's own variables count too, so that what exporters in applications are told need not be said twice. */
export function tracingFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--tracing-endpoint <url>',
        'OpenTelemetry collector that proxies send spans to, over OTLP/HTTP: http://127.0.0.1:4318 (default: none are sent)',
      ).env('OTEL_EXPORTER_OTLP_ENDPOINT'),
    )
    .addOption(
      new Option(
        '--tracing-sampling <ratio>',
        'share of the requests to trace where the caller has not decided, 0 to 1',
      )
        .env('OTEL_TRACES_SAMPLER_ARG')
        .default('0.01'),
    );
}

/** Undefined: no spans are sent. */
export function readTracing({ tracingEndpoint, tracingSampling }: TracingFlags): TracingSettings | undefined {
  const samplingRatio = Number(tracingSampling);
  if (!/^[\d.]+$/.test(tracingSampling) || !(samplingRatio >= 0 && samplingRatio <= 1))
    throw usage(`--tracing-sampling "${tracingSampling}": must be a number from 0 to 1, such as 0.01`);
  if (tracingEndpoint === undefined || tracingEndpoint === '') return undefined;
  const url = URL.parse(tracingEndpoint);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw usage(`--tracing-endpoint "${tracingEndpoint}": must be a URL of OTLP/HTTP, such as http://127.0.0.1:4318`);
  // OTLP exporter: an endpoint is a base, to which the path of each signal is added.
  const path = url.pathname.replace(/\/+$/, '');
  if (!path.endsWith('/v1/traces')) url.pathname = `${path}/v1/traces`;
  return { endpoint: url.href, samplingRatio };
}

function usage(message: string): CommandError {
  return new CommandError(message, { exit: 'usage' });
}
