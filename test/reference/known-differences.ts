import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Difference } from './compare.ts';

/** Places where Tutti's answers are meant to be others than Kubernetes'. */
export interface KnownDifference {
  readonly why: string;
  /** How many answers differ for this reason. */
  readonly answers: number;
  /**
   * Each a case and a place in its answers, with a space between: `pod-spec 3.body.message`. What is below a place belongs
   * to it, so that `pod-spec 3` is a whole answer. `*` stands for any text of a case's name, and for one step of a place;
   * `**` for any number of steps.
   */
  readonly where: readonly string[];
  /** What Kubernetes' value there must be like: a regular expression, for texts. */
  readonly kubernetes?: string;
}

const file = join(import.meta.dirname, 'known-differences.json');

/** The list is `known-differences.json`. */
export function readKnownDifferences(): readonly KnownDifference[] {
  return JSON.parse(readFileSync(file, 'utf8')) as readonly KnownDifference[];
}

export function writeKnownDifferences(list: readonly KnownDifference[]): void {
  writeFileSync(file, `${JSON.stringify(list, null, 2)}\n`);
}

/** Sorts differences to the reasons that list them, and counts. */
export class Explained {
  readonly #reasons: readonly Reason[];

  constructor(list: readonly KnownDifference[]) {
    this.#reasons = list.map((known) => ({
      known,
      places: known.where.map(placeOf),
      value: known.kubernetes === undefined ? undefined : new RegExp(known.kubernetes, 's'),
      answers: new Set(),
    }));
  }

  /** Why this is so, where somebody has said it; the first reason of the list counts it. */
  reasonFor(ofCase: string, { at, reference }: Difference): KnownDifference | undefined {
    for (const { known, places, value, answers } of this.#reasons) {
      if (value !== undefined && !(typeof reference === 'string' && value.test(reference))) continue;
      const met = places.filter(({ means }) => means(ofCase, at));
      if (met.length === 0) continue;
      for (const place of met) place.met = true;
      answers.add(`${ofCase} ${at.split('.')[0]}`);
      return known;
    }
    return undefined;
  }

  /** Places that are listed and where nothing differed. */
  unmet(): readonly string[] {
    return this.#reasons.flatMap(({ places }) => places.filter(({ met }) => !met).map(({ where }) => where));
  }

  /** The list with the answers that were counted. */
  counted(): readonly KnownDifference[] {
    return this.#reasons.map(({ known, answers }) => ({ ...known, answers: answers.size }));
  }

  /** As {@link counted}, without the places where nothing differed. */
  stillTrue(): readonly KnownDifference[] {
    const gone = this.unmet();
    return this.counted()
      .map((known) => ({ ...known, where: known.where.filter((where) => !gone.includes(where)) }))
      .filter(({ where }) => where.length > 0);
  }
}

interface Reason {
  readonly known: KnownDifference;
  readonly places: readonly Place[];
  readonly value: RegExp | undefined;
  readonly answers: Set<string>;
}

interface Place {
  readonly where: string;
  readonly means: (ofCase: string, at: string) => boolean;
  met: boolean;
}

function placeOf(where: string): Place {
  const [name = '', place = ''] = where.split(' ');
  const [names, places] = [pattern(name, '.*', '$'), pattern(place, '[^.]*', '(?:$|\\.)')];
  return { where, means: (ofCase, at) => names.test(ofCase) && places.test(at), met: false };
}

function pattern(glob: string, star: string, end: string): RegExp {
  const plain = (text: string): string => text.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
  const source = glob.split('**').map((part) => part.split('*').map(plain).join(star));
  return new RegExp(`^${source.join('.*')}${end}`, 's');
}
