import { fieldDuplicate, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from '../meta/field-error.ts';
import { wrong } from '../meta/metadata-rules.ts';
import { dnsLabel } from '../meta/names.ts';
import { parseQuantity } from '../meta/quantity.ts';
import type { FieldError } from '../meta/status.ts';
import { FILE_FIELDS, fieldRefErrors, resourceFieldErrors } from './environment-rules.ts';
import { type KeyToPath, VOLUME_SOURCES, type Volume } from './volume.ts';

/* ValidateVolumes and the sources that Tutti acts on (core/validation/validation.go). */

type DownwardFile = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];
type Projection = NonNullable<NonNullable<Volume['projected']>['sources']>[number];

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

/** A token's life in seconds: at least ten minutes, at most 2^32. */
const TOKEN_SECONDS = { min: 600, max: 2 ** 32 };

export function volumeErrors(volumes: readonly Volume[], field: string): readonly FieldError[] {
  return volumes.flatMap((volume, index) => {
    const at = `${field}[${index}]`;
    const [, ...more] = VOLUME_SOURCES.filter((source) => volume[source] !== undefined);
    return [
      ...sourceErrors(volume, at),
      ...more.map((source) => fieldForbidden(`${at}.${source}`, 'may not specify more than 1 volume type')),
      ...wrong(`${at}.name`, volume.name, dnsLabel),
      ...(volumes.findIndex(({ name }) => name === volume.name) < index
        ? [fieldDuplicate(`${at}.name`, volume.name)]
        : []),
    ];
  });
}

function sourceErrors(volume: Volume, at: string): readonly FieldError[] {
  const { emptyDir, hostPath, configMap, secret, downwardAPI, projected, persistentVolumeClaim } = volume;
  const size = emptyDir?.sizeLimit === undefined ? undefined : parseQuantity(emptyDir.sizeLimit);
  return [
    ...(size !== undefined && size.nanos < 0n
      ? [fieldForbidden(`${at}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
      : []),
    ...(hostPath === undefined ? [] : hostPathErrors(hostPath, `${at}.hostPath`)),
    ...(secret !== undefined && !secret.secretName ? [fieldRequired(`${at}.secret.secretName`)] : []),
    ...modeErrors(secret?.defaultMode, `${at}.secret.defaultMode`),
    ...itemErrors(secret?.items, `${at}.secret.items`),
    ...(persistentVolumeClaim?.claimName === '' ? [fieldRequired(`${at}.persistentVolumeClaim.claimName`)] : []),
    ...(configMap?.name === '' ? [fieldRequired(`${at}.configMap.name`)] : []),
    ...modeErrors(configMap?.defaultMode, `${at}.configMap.defaultMode`),
    ...itemErrors(configMap?.items, `${at}.configMap.items`),
    ...modeErrors(downwardAPI?.defaultMode, `${at}.downwardAPI.defaultMode`),
    ...(downwardAPI?.items ?? []).flatMap((file) => downwardErrors(file, `${at}.downwardAPI`)),
    ...modeErrors(projected?.defaultMode, `${at}.projected.defaultMode`),
    ...ephemeralErrors(volume, `${at}.ephemeral.volumeClaimTemplate.spec`),
    ...(projected?.sources ?? []).flatMap((source, index) => projectionErrors(source, `${at}.projected`, index)),
  ];
}

function hostPathErrors({ path, type }: NonNullable<Volume['hostPath']>, at: string): readonly FieldError[] {
  if (path === '') return [fieldRequired(`${at}.path`)];
  return [
    ...backstepErrors(path, `${at}.path`),
    ...(HOST_PATH_TYPES.includes(type) ? [] : [fieldNotSupported(`${at}.type`, type, HOST_PATH_TYPES)]),
  ];
}

function itemErrors(items: readonly KeyToPath[] | undefined, field: string): readonly FieldError[] {
  return (items ?? []).flatMap(({ key, path, mode }, index) => [
    ...(key === '' ? [fieldRequired(`${field}[${index}].key`)] : []),
    ...(path === '' ? [fieldRequired(`${field}[${index}].path`)] : []),
    ...localPathErrors(path, `${field}[${index}].path`),
    ...modeErrors(mode, `${field}[${index}].mode`),
  ]);
}

function modeErrors(mode: number | undefined, field: string): readonly FieldError[] {
  return mode === undefined || (mode >= 0 && mode <= 0o777)
    ? []
    : [fieldInvalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')];
}

/** A claim says how much it wants (ValidatePersistentVolumeClaimSpec). */
function ephemeralErrors({ ephemeral }: Volume, at: string): readonly FieldError[] {
  const template = ephemeral?.volumeClaimTemplate;
  return template === undefined || template.spec.resources?.requests?.['storage'] !== undefined
    ? []
    : [fieldRequired(`${at}.resources[storage]`)];
}

function downwardErrors({ path, fieldRef, resourceFieldRef, mode }: DownwardFile, at: string): readonly FieldError[] {
  const neither = fieldRef === undefined && resourceFieldRef === undefined;
  const both = fieldRef !== undefined && resourceFieldRef !== undefined;
  return [
    ...(path === '' ? [fieldRequired(`${at}.path`)] : []),
    ...localPathErrors(path, `${at}.path`),
    ...modeErrors(mode, `${at}.mode`),
    ...(fieldRef === undefined ? [] : fieldRefErrors(fieldRef, FILE_FIELDS, `${at}.fieldRef`)),
    ...(both
      ? [fieldInvalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously')]
      : []),
    ...(resourceFieldRef !== undefined && !both ? fileResourceErrors(resourceFieldRef, `${at}.resourceFieldRef`) : []),
    ...(neither ? [fieldRequired(at, 'one of fieldRef and resourceFieldRef is required')] : []),
  ];
}

/** A file stands outside of any container: it says which one it means. */
function fileResourceErrors(ref: NonNullable<DownwardFile['resourceFieldRef']>, at: string): readonly FieldError[] {
  return ref.containerName ? resourceFieldErrors(ref, at) : [fieldRequired(`${at}.containerName`)];
}

function projectionErrors(source: Projection, field: string, index: number): readonly FieldError[] {
  const at = `${field}.sources[${index}]`;
  const { secret, configMap, downwardAPI, serviceAccountToken: token } = source;
  const count = Object.values(source).filter((each) => each !== undefined).length;
  const seconds = token?.expirationSeconds ?? TOKEN_SECONDS.min;
  const life = `${at}.serviceAccountToken.expirationSeconds`;
  return [
    ...(secret?.name === '' ? [fieldRequired(`${at}.secret.name`)] : []),
    ...itemErrors(secret?.items, `${at}.secret.items`),
    ...(configMap?.name === '' ? [fieldRequired(`${at}.configMap.name`)] : []),
    ...itemErrors(configMap?.items, `${at}.configMap.items`),
    ...(downwardAPI?.items ?? []).flatMap((file) => downwardErrors(file, `${at}.downwardAPI`)),
    ...(seconds < TOKEN_SECONDS.min
      ? [fieldInvalid(life, seconds, 'may not specify a duration less than 10 minutes')]
      : []),
    ...(seconds > TOKEN_SECONDS.max
      ? [fieldInvalid(life, seconds, 'may not specify a duration larger than 2^32 seconds')]
      : []),
    ...(token?.path === '' ? [fieldRequired(`${field}.path`)] : localPathErrors(token?.path ?? '', `${field}.path`)),
    ...(count > 1 ? [fieldForbidden(at, 'may not specify more than 1 volume type per source')] : []),
  ];
}

/** Files of a projection stay within their folder (ValidateLocalNonReservedPath). */
function localPathErrors(path: string, field: string): readonly FieldError[] {
  return [
    ...descendingPathErrors(path, field),
    ...(path.startsWith('..') && !path.startsWith('../')
      ? [fieldInvalid(field, path, "must not start with '..'")]
      : []),
  ];
}

export function descendingPathErrors(path: string, field: string): readonly FieldError[] {
  return [
    ...(path.startsWith('/') ? [fieldInvalid(field, path, 'must be a relative path')] : []),
    ...backstepErrors(path, field),
  ];
}

function backstepErrors(path: string, field: string): readonly FieldError[] {
  return path.split('/').includes('..') ? [fieldInvalid(field, path, "must not contain '..'")] : [];
}
