import { z } from 'zod';
import { dropNulls } from '../meta/drop-nulls.ts';
import { STANDARD_FINALIZERS, validateMetadata } from '../meta/metadata-rules.ts';
import { dnsSubdomain, type NameRule } from '../meta/names.ts';
import { type ObjectMeta, objectMetaSchema } from '../meta/object-meta.ts';
import type { Kind, KubeObject } from './kind.ts';

/** The three fields that every object begins with. */
export function identity<const ApiVersion extends string, const Name extends string>(
  apiVersion: ApiVersion,
  kind: Name,
) {
  return {
    apiVersion: z.literal(apiVersion).describe('The versioned schema of this representation of an object.'),
    kind: z.literal(kind).describe('The REST resource that this object represents.'),
    metadata: objectMetaSchema.default(() => ({})).describe("Standard object's metadata."),
  };
}

/** The type of a stored object: what its schema gives, with the metadata that the server has filled. */
export type Stored<Schema extends z.ZodType> = {
  [Field in keyof z.output<Schema>]: Field extends 'metadata' ? ObjectMeta : z.output<Schema>[Field];
};

/** What a kind's file says; the rest is the same for all. */
export interface KindDefinition<T extends KubeObject>
  extends Pick<Kind<T>, 'group' | 'version' | 'kind' | 'plural' | 'namespaced' | 'columns'>,
    Partial<
      Pick<
        Kind<T>,
        'shortNames' | 'categories' | 'createdByPut' | 'subresources' | 'selectableFields' | 'validate' | 'warnings'
      >
    > {
  readonly schema: z.ZodType;
  /** What may be the object's name; a DNS subdomain unless told. */
  readonly nameRule?: NameRule;
}

/** Groups whose kinds are judged by ValidateObjectMeta of core/validation. */
const FINALIZERS_QUALIFIED = ['', 'apps', 'discovery.k8s.io'];

/** Groups that every Kubernetes has by itself. */
const BUILT_IN = ['', 'apps', 'coordination.k8s.io', 'discovery.k8s.io'];

export function defineKind<T extends KubeObject>(definition: KindDefinition<T>): Kind<T> {
  const { nameRule = dnsSubdomain, namespaced, validate } = definition;
  const custom = !BUILT_IN.includes(definition.group);
  const qualifiedFinalizers = FINALIZERS_QUALIFIED.includes(definition.group) && definition.kind !== 'Event';
  return {
    shortNames: [],
    categories: [],
    createdByPut: false,
    subresources: [],
    selectableFields: {},
    ...definition,
    warnings: (object) => [
      ...(custom ? finalizerAdvice(object.metadata) : []),
      ...(definition.warnings?.(object) ?? []),
    ],
    singular: definition.kind.toLowerCase(),
    custom,
    // The schema's own metadata is optional because clients leave it out; T is what the server hands out.
    schema: z.preprocess(dropNulls, definition.schema) as z.ZodType as z.ZodType<T>,
    validate: (object, old) => [
      ...validateMetadata(object.metadata, old?.metadata, { nameRule, namespaced, qualifiedFinalizers }),
      ...(validate?.(object, old) ?? []),
    ],
  };
}

/** warningsForFinalizers of apiextensions-apiserver. */
function finalizerAdvice({ finalizers = [] }: ObjectMeta): readonly string[] {
  return finalizers
    .filter((name) => !name.includes('/') && !STANDARD_FINALIZERS.includes(name))
    .map(
      (name) =>
        `metadata.finalizers: ${JSON.stringify(name)}: prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers`,
    );
}
