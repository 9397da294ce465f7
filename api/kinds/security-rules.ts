import type { z } from 'zod';
import { fieldInvalid } from '../meta/field-error.ts';
import { userId } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import type { PodSpec } from './pod-spec.ts';
import type { podSecurityContextSchema, securityContextSchema } from './security-context.ts';

/* ValidateSecurityContext, validatePodSpecSecurityContext and validateSysctls of core/validation/validation.go. */

type Context = z.infer<typeof securityContextSchema>;
type PodContext = z.infer<typeof podSecurityContextSchema>;

export function securityErrors(context: Context | undefined, field: string): readonly FieldError[] {
  if (context === undefined) return [];
  return [
    ...identityErrors(context, field),
    ...(context.privileged === true && context.allowPrivilegeEscalation === false
      ? [fieldInvalid(field, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true')]
      : []),
  ];
}

export function podSecurityErrors(
  { securityContext, hostPID, shareProcessNamespace }: PodSpec,
  field: string,
): readonly FieldError[] {
  const at = `${field}.securityContext`;
  const detail = 'ShareProcessNamespace and HostPID cannot both be enabled';
  return [
    ...identityErrors(securityContext, at),
    ...(hostPID === true && shareProcessNamespace === true
      ? [fieldInvalid(`${at}.shareProcessNamespace`, true, detail)]
      : []),
    ...idErrors(securityContext.fsGroup, `${at}.fsGroup`),
    ...(securityContext.supplementalGroups ?? []).flatMap((id, index) =>
      idErrors(id, `${at}.supplementalGroups[${index}]`),
    ),
    ...sysctlErrors(securityContext, `${at}.sysctls`),
  ];
}

function identityErrors({ runAsUser, runAsGroup }: Pick<Context, 'runAsUser' | 'runAsGroup'>, at: string) {
  return [...idErrors(runAsUser, `${at}.runAsUser`), ...idErrors(runAsGroup, `${at}.runAsGroup`)];
}

function idErrors(id: number | undefined, field: string): readonly FieldError[] {
  return id === undefined ? [] : userId(id).map((why) => fieldInvalid(field, id, why));
}

const SYSCTL = '([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SYSCTL_SHAPE = new RegExp(`^${SYSCTL}$`);

function sysctlErrors({ sysctls = [] }: PodContext, field: string): readonly FieldError[] {
  return sysctls.flatMap(({ name }, index) =>
    name.length <= 253 && SYSCTL_SHAPE.test(name)
      ? []
      : [fieldInvalid(`${field}[${index}].name`, name, `must have at most 253 characters and match regex ^${SYSCTL}$`)],
  );
}
