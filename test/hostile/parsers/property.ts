import { Draw } from './draw.ts';

export interface Failure {
  readonly seed: number;
  readonly given: unknown;
  readonly error: unknown;
}

/** What holds of a parser whatever comes: told by the seed of one case, undefined where it does. */
export interface Property {
  readonly name: string;
  /** The parser that it is about. */
  readonly of: string;
  readonly failsAt: (seed: number) => Failure | undefined;
}

/** `holds` throws for a case of which it does not. */
export function property<Case>(
  of: string,
  name: string,
  make: (draw: Draw) => Case,
  holds: (given: Case) => void,
): Property {
  return {
    name,
    of,
    failsAt: (seed) => {
      const given = make(new Draw(seed));
      try {
        holds(given);
      } catch (error) {
        return { seed, given, error };
      }
      return undefined;
    },
  };
}

/** The first of so many cases that fails. */
export function firstFailure({ failsAt }: Property, firstSeed: number, cases: number): Failure | undefined {
  for (let seed = firstSeed; seed < firstSeed + cases; seed++) {
    const failure = failsAt(seed);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** In words, with what reproduces it. */
export function describeFailure(property: Property, { seed, given, error }: Failure): string {
  const said = error instanceof Error ? error.message : String(error);
  return `${property.name}\n  --seed ${seed} --only ${JSON.stringify(property.name)}\n  case ${JSON.stringify(given)}\n  ${said}`;
}
