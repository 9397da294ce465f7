const texts = new WeakMap<object, string>();

/** The JSON of a shared object, made once: objects from the store are frozen, and every watch sends the same ones. */
export function jsonText(object: object): string {
  const known = texts.get(object);
  if (known !== undefined) return known;
  const text = JSON.stringify(object);
  if (Object.isFrozen(object)) texts.set(object, text);
  return text;
}
