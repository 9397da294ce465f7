import { fieldInvalid, fieldRequired } from '../meta/field-error.ts';
import { wrong } from '../meta/metadata-rules.ts';
import { qualifiedName } from '../meta/names.ts';
import { parseQuantity } from '../meta/quantity.ts';
import type { FieldError } from '../meta/status.ts';
import type { ResourceRequirements } from './resources.ts';

type Amounts = Readonly<Record<string, string>>;

/** validateContainerResourceRequirements: known names, nothing negative, a request within its limit. */
export function resourceErrors(
  { limits = {}, requests = {} }: ResourceRequirements,
  field: string,
): readonly FieldError[] {
  const unlimited = Object.keys(requests).some((name) => limits[name] === undefined && !isOvercommitted(name));
  return [
    ...listErrors(limits, `${field}.limits`),
    ...listErrors(requests, `${field}.requests`),
    ...Object.entries(requests).flatMap(([name, text]) => {
      const limit = limits[name];
      return limit !== undefined && nanos(text) > nanos(limit)
        ? [fieldInvalid(`${field}.requests`, text, `must be less than or equal to ${name} limit of ${limit}`)]
        : [];
    }),
    ...(unlimited ? [fieldRequired(`${field}.limits`, 'Limit must be set for non overcommitable resources')] : []),
  ];
}

function listErrors(list: Amounts, field: string): readonly FieldError[] {
  return Object.entries(list).flatMap(([name, text]) => {
    const at = `${field}[${name}]`;
    return [
      ...wrong(at, name, qualifiedName),
      ...(name.includes('/') || isStandard(name)
        ? []
        : [fieldInvalid(at, name, 'must be a standard resource for containers')]),
      ...(nanos(text) < 0n ? [fieldInvalid(at, text, 'must be greater than or equal to 0')] : []),
    ];
  });
}

const HUGE_PAGES = 'hugepages-';

function isStandard(name: string): boolean {
  return ['cpu', 'memory', 'ephemeral-storage'].includes(name) || name.startsWith(HUGE_PAGES);
}

/** Kubernetes' own resources may be promised more than once, but for large pages; those of devices may not. */
function isOvercommitted(name: string): boolean {
  return (!name.includes('/') || name.includes('kubernetes.io/')) && !name.startsWith(HUGE_PAGES);
}

function nanos(text: string): bigint {
  return parseQuantity(text)?.nanos ?? 0n;
}
