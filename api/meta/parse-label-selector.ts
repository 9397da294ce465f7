import { ApiError } from './api-error.ts';
import type { LabelRequirement } from './label-selector.ts';
import { labelValue, qualifiedName } from './names.ts';

/*
 * labels.Parse of k8s.io/apimachinery/pkg/labels/selector.go, with its words: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b)`,
 * `a`, `!a`, `a>1`, `a<9`, with commas between.
 */

/** The requirements in a selector's text. Throws ApiError 400 for a text that is none. */
export function parseLabelSelector(text: string): readonly LabelRequirement[] {
  const rest = [...(text.match(TOKEN) ?? [])];
  const requirements: LabelRequirement[] = [];
  while (rest.length > 0) {
    if (!isName(rest[0]) && rest[0] !== '!')
      throw ApiError.badRequest(`found '${rest[0]}', expected: !, identifier, or 'end of string'`);
    requirements.push(requirement(rest));
    const comma = rest.shift();
    if (comma === undefined) break;
    if (comma !== ',') throw ApiError.badRequest(`found '${comma}', expected: ',' or 'end of string'`);
    if (!isName(rest[0]) && rest[0] !== '!')
      throw ApiError.badRequest(`found '${rest[0] ?? ''}', expected: identifier after ','`);
  }
  return requirements;
}

const TOKEN = /[(),]|==|!=|[=!<>]|[^\s(),=!<>]+/g;
const SYMBOLS = ['(', ')', ',', '==', '!=', '=', '!', '<', '>'];

const OPERATORS: Readonly<Record<string, LabelRequirement['operator']>> = {
  '=': 'In',
  '==': 'In',
  in: 'In',
  '!=': 'NotIn',
  notin: 'NotIn',
  '>': 'Gt',
  '<': 'Lt',
};

function isName(token: string | undefined): boolean {
  return token !== undefined && !SYMBOLS.includes(token);
}

function requirement(rest: string[]): LabelRequirement {
  const absent = rest[0] === '!';
  if (absent) rest.shift();
  const key = rest.shift();
  if (key === undefined || !isName(key)) throw unparsable(`found '${key ?? ''}', expected: identifier`);
  if (absent) return checked({ key, operator: 'DoesNotExist', values: [] });
  if (rest.length === 0 || rest[0] === ',') return checked({ key, operator: 'Exists', values: [] });
  const word = rest.shift() ?? '';
  const operator = Object.hasOwn(OPERATORS, word) ? OPERATORS[word] : undefined;
  if (operator === undefined) throw unparsable(`found '${word}', expected: in, notin, =, ==, !=, gt, lt`);
  const values = word === 'in' || word === 'notin' ? listedValues(rest) : [exactValue(rest)];
  return checked({ key, operator, values });
}

/** `a=` and `a=,b` have the empty value. */
function exactValue(rest: string[]): string {
  if (rest.length === 0 || rest[0] === ',') return '';
  const value = rest.shift() ?? '';
  if (!isName(value)) throw unparsable(`found '${value}', expected: identifier`);
  return value;
}

/** Each once, in order: `(a,b)`, `()`, `(,a)`. */
function listedValues(rest: string[]): readonly string[] {
  const open = rest.shift();
  if (open !== '(') throw unparsable(`found '${open ?? ''}' expected: '('`);
  const values = new Set<string>();
  for (let before = '('; ; ) {
    const token = rest.shift();
    if (token === ')') {
      if (!isName(before)) values.add('');
      return [...values].sort();
    }
    if (token === ',' ? false : !isName(token) || isName(before))
      throw unparsable(`found '${token ?? ''}', expected: ',' or ')'`);
    if (token === ',' && !isName(before)) values.add('');
    if (token !== undefined && isName(token)) values.add(token);
    before = token ?? '';
  }
}

function checked(made: LabelRequirement): LabelRequirement {
  const wrongKey = qualifiedName(made.key).join('; ');
  if (wrongKey !== '') throw unparsable(`<nil>: Invalid value: ${JSON.stringify(made.key)}: ${wrongKey}`);
  const counted = made.operator === 'Gt' || made.operator === 'Lt';
  for (const [index, value] of made.values.entries()) {
    const invalid = (field: string, why: string): ApiError =>
      unparsable(`${field}: Invalid value: ${JSON.stringify(value)}: ${why}`);
    if (counted && !/^[+-]?\d+$/.test(value))
      throw invalid(`values[${index}]`, "for 'Gt', 'Lt' operators, the value must be an integer");
    const why = labelValue(value).join('; ');
    if (why !== '') throw invalid(`values[${index}][${made.key}]`, why);
  }
  return made;
}

function unparsable(why: string): ApiError {
  return ApiError.badRequest(`unable to parse requirement: ${why}`);
}
