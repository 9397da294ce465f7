import { z } from 'zod';
import { fieldInvalid } from '../meta/field-error.ts';
import { wrong } from '../meta/metadata-rules.ts';
import { configKey } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import { ageColumn, column, nameColumn } from './columns.ts';
import { defineKind, identity, type Stored } from './define-kind.ts';
import { frozenErrors, sizeErrors } from './payload-rules.ts';

const configMapSchema = z
  .strictObject({
    ...identity('v1', 'ConfigMap'),
    data: z.record(z.string(), z.string()).optional().describe('Text by key.'),
    binaryData: z.record(z.string(), z.base64()).optional().describe('Bytes by key, in base64.'),
    immutable: z.boolean().optional().describe('When true, data cannot be changed any more.'),
  })
  .describe('Configuration for pods to read.');

export type ConfigMap = Stored<typeof configMapSchema>;

export const configMapKind = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  namespaced: true,
  schema: configMapSchema,
  columns: [
    nameColumn,
    column(
      'Data',
      'How many keys it has.',
      ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    ),
    ageColumn,
  ],
  validate: (map, old) => [
    ...keyErrors(map),
    ...sizeErrors({ ...map.data, ...map.binaryData }, ''),
    ...frozenErrors(map, old, ['data', 'binaryData']),
  ],
});

function keyErrors({ data = {}, binaryData = {} }: ConfigMap): readonly FieldError[] {
  return [
    ...Object.keys(data).flatMap((key) => [
      ...wrong(`data[${key}]`, key, configKey),
      ...(key in binaryData ? [fieldInvalid(`data[${key}]`, key, 'duplicate of key present in binaryData')] : []),
    ]),
    ...Object.keys(binaryData).flatMap((key) => wrong(`binaryData[${key}]`, key, configKey)),
  ];
}
