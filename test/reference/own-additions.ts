import type { Answers } from './case.ts';

/*
 * What Tutti alone says and Kubernetes cannot: annotations under tutti.dev/ (ports of sidecars, addresses in the mesh) and
 * warnings of fields that are accepted and not acted on. Taken out before comparing, so that nothing else is.
 */

const OWN_PREFIX = 'tutti.dev/';
const OWN_WARNING = /not enforced yet by Tutti/;

export function withoutOwnAdditions(answers: Answers): Answers {
  return answers.map(({ warnings, ...answer }) => {
    const others = (warnings ?? []).filter((warning) => !OWN_WARNING.test(warning));
    return { ...(strip(answer) as typeof answer), ...(others.length === 0 ? {} : { warnings: others }) };
  });
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, field]) => [name, strip(field)] as const);
  return Object.fromEntries(
    entries.flatMap(([name, field]) => (name === 'annotations' ? withoutOwn(name, field) : [[name, field] as const])),
  );
}

function withoutOwn(name: string, annotations: unknown): readonly (readonly [string, unknown])[] {
  if (typeof annotations !== 'object' || annotations === null) return [[name, annotations]];
  const all = Object.entries(annotations);
  const others = all.filter(([key]) => !key.startsWith(OWN_PREFIX));
  if (others.length === all.length) return [[name, annotations]];
  return others.length === 0 ? [] : [[name, Object.fromEntries(others)]];
}
