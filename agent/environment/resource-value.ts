import type { Container } from '../../api/kinds/container.ts';
import type { ResourceFieldSelector } from '../../api/kinds/environment.ts';
import { parseQuantity } from '../../api/meta/quantity.ts';
import { ConfigError } from './config-error.ts';

/**
 * A container's resource in units of the divisor, rounded up. A limit that is not set is what the node has
 * (pkg/api/v1/resource/helpers.go, ExtractContainerResourceValue and MergeContainerResourceLimits).
 */
export function resourceValue(
  container: Pick<Container, 'resources'>,
  { resource, divisor }: Pick<ResourceFieldSelector, 'resource' | 'divisor'>,
  allocatable: Readonly<Record<string, string>>,
): string {
  const [, kind, name = ''] = /^(limits|requests)\.(.+)$/.exec(resource) ?? [];
  if (kind === undefined) throw new ConfigError(`unsupported container resource: ${resource}`);
  const { limits, requests } = container.resources;
  const text = kind === 'limits' ? (limits?.[name] ?? allocatable[name] ?? '0') : (requests?.[name] ?? '0');
  const amount = parseQuantity(text)?.nanos ?? 0n;
  const unit = parseQuantity(divisor === '0' ? '1' : divisor)?.nanos ?? 1n;
  return String((amount + unit - 1n) / unit);
}
