import {
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotFound,
  fieldNotSupported,
  fieldRequired,
} from '../meta/field-error.ts';
import { wrong } from '../meta/metadata-rules.ts';
import { dnsLabel, portName, portNumber } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import type { Container } from './container.ts';
import { environmentErrors } from './environment-rules.ts';
import { lifeErrors } from './probe-rules.ts';
import { resourceErrors } from './resource-rules.ts';
import { securityErrors } from './security-rules.ts';
import type { Volume } from './volume.ts';
import { descendingPathErrors } from './volume-rules.ts';

export interface ContainerPlace {
  readonly field: string;
  readonly volumes: readonly Volume[];
  readonly role: 'main' | 'init';
  /** The pod's terminationGracePeriodSeconds. */
  readonly graceSeconds: number;
}

/** ValidateContainer (k8s.io/kubernetes/pkg/apis/core/validation/validation.go), for what Tutti acts on. */
export function validateContainer(container: Container, place: ContainerPlace): readonly FieldError[] {
  const { field } = place;
  return [
    ...wrong(`${field}.name`, container.name, dnsLabel),
    ...imageErrors(container.image, `${field}.image`),
    ...portErrors(container, `${field}.ports`),
    ...environmentErrors(container, field),
    ...mountErrors(container, place),
    ...resourceErrors(container.resources, `${field}.resources`),
    ...securityErrors(container.securityContext, `${field}.securityContext`),
    ...lifeErrors(container, field, place),
    ...restartErrors(container, place),
  ];
}

/** An init container may only be one that keeps running. */
function restartErrors({ restartPolicy }: Container, { role, field }: ContainerPlace): readonly FieldError[] {
  if (restartPolicy === undefined) return [];
  const at = `${field}.restartPolicy`;
  if (role === 'main') return [fieldForbidden(at, 'may not be set for non-init containers')];
  return restartPolicy === 'Always' ? [] : [fieldNotSupported(at, restartPolicy, ['Always'])];
}

function imageErrors(image: string | undefined, field: string): readonly FieldError[] {
  if (image === undefined || image === '') return [fieldRequired(field)];
  return image.trim() === image ? [] : [fieldInvalid(field, image, 'must not have leading or trailing whitespace')];
}

function portErrors({ ports = [] }: Container, field: string): readonly FieldError[] {
  return ports.flatMap(({ name = '', containerPort, hostPort = 0 }, index) => {
    const at = `${field}[${index}]`;
    const badName = name === '' ? [] : wrong(`${at}.name`, name, portName);
    return [
      ...badName,
      ...(name !== '' && badName.length === 0 && ports.findIndex((other) => other.name === name) < index
        ? [fieldDuplicate(`${at}.name`, name)]
        : []),
      ...(containerPort === 0
        ? [fieldRequired(`${at}.containerPort`)]
        : numberErrors(containerPort, `${at}.containerPort`)),
      ...(hostPort === 0 ? [] : numberErrors(hostPort, `${at}.hostPort`)),
    ];
  });
}

function numberErrors(port: number, field: string): readonly FieldError[] {
  return portNumber(port).map((why) => fieldInvalid(field, port, why));
}

function mountErrors({ volumeMounts = [] }: Container, { field, volumes }: ContainerPlace): readonly FieldError[] {
  return volumeMounts.flatMap((mount, index) => {
    // Kubernetes names the list where a path is wrong, and its item where a name is.
    const list = `${field}.volumeMounts`;
    const at = `${list}[${index}]`;
    const { subPath = '', subPathExpr = '', readOnly, recursiveReadOnly = 'Disabled' } = mount;
    return [
      ...(volumes.some(({ name }) => name === mount.name) ? [] : [fieldNotFound(`${at}.name`, mount.name)]),
      ...(volumeMounts.findIndex(({ mountPath }) => mountPath === mount.mountPath) < index
        ? [fieldInvalid(`${at}.mountPath`, mount.mountPath, 'must be unique')]
        : []),
      ...descendingPathErrors(subPath, `${list}.subPath`),
      ...(subPath !== '' && subPathExpr !== ''
        ? [fieldInvalid(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive')]
        : []),
      ...descendingPathErrors(subPathExpr, `${list}.subPathExpr`),
      ...(recursiveReadOnly !== 'Disabled' && readOnly !== true
        ? [fieldForbidden(`${list}.recursiveReadOnly`, 'may only be specified when readOnly is true')]
        : []),
    ];
  });
}
