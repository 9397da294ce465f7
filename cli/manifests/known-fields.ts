import type { z } from 'zod';

/** As much of a zod schema's inside as leads to its fields. */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly innerType?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly out?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly getter?: () => z.core.$ZodType;
}

/** The fields that an object at this path may have, for "did you mean". Empty where anything goes. */
export function fieldsAt(schema: z.core.$ZodType, path: readonly (string | number)[]): string[] {
  const definition = schema._zod.def as unknown as Definition;
  const [step, ...rest] = path;
  switch (definition.type) {
    case 'object':
      if (step === undefined) return Object.keys(definition.shape ?? {});
      return within(definition.shape?.[String(step)], rest);
    case 'array':
      return step === undefined ? [] : within(definition.element, rest);
    case 'record':
      return step === undefined ? [] : within(definition.valueType, rest);
    case 'pipe':
      return [...within(definition.in, path), ...within(definition.out, path)];
    case 'union':
      return (definition.options ?? []).flatMap((option) => fieldsAt(option, path));
    case 'lazy':
      return within(definition.getter?.(), path);
    default:
      // Optional, default, nullable and their like: the fields are those of what they wrap.
      return within(definition.innerType, path);
  }
}

function within(schema: z.core.$ZodType | undefined, path: readonly (string | number)[]): string[] {
  return schema === undefined ? [] : fieldsAt(schema, path);
}
