import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Places where Tutti's answers are meant to be others than Kubernetes', or are not yet the same. */
interface KnownDifference {
  readonly why: string;
  /**
   * Each a case and a place in its answers, with a space between: `pod-spec 3.body.message`. What is below a place belongs
   * to it, so that `pod-spec 3` is a whole answer. `*` stands for any text of a case's name, and for one step of a place;
   * `**` for any number of steps.
   */
  readonly where: readonly string[];
}

const file = join(import.meta.dirname, 'known-differences.json');

/** The list is `known-differences.json`. */
const KNOWN_DIFFERENCES = JSON.parse(readFileSync(file, 'utf8')) as readonly KnownDifference[];

/** The listed places that mean this place of that case. */
export function listedPlaces(name: string, place: string): readonly string[] {
  return PLACES.filter(({ means }) => means(name, place)).map(({ where }) => where);
}

/** Every listed place. */
export function allListed(): readonly string[] {
  return PLACES.map(({ where }) => where);
}

const PLACES = KNOWN_DIFFERENCES.flatMap(({ where }) => where).map((where) => {
  const [name = '', place = ''] = where.split(' ');
  const [names, places] = [pattern(name, '.*', '$'), pattern(place, '[^.]*', '(?:$|\\.)')];
  return { where, means: (ofCase: string, at: string): boolean => names.test(ofCase) && places.test(at) };
});

function pattern(glob: string, star: string, end: string): RegExp {
  const plain = (text: string): string => text.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
  const source = glob.split('**').map((part) => part.split('*').map(plain).join(star));
  return new RegExp(`^${source.join('.*')}${end}`, 's');
}
