import { z } from 'zod';

/**
 * Kubernetes' resource.Quantity: an exact number with a family of suffixes (k8s.io/apimachinery/pkg/api/resource/quantity.go).
 * Held as whole billionths, because a quantity has no smaller fraction (finer input is rounded up).
 */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

const NANO = 1_000_000_000n;
const MILLI = 1_000_000n;
/** Larger amounts are capped (2^63 - 1 units). */
const MAX_NANOS = (2n ** 63n - 1n) * NANO;
const SYNTAX = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d{1,3})?$/;
const DECIMAL: readonly (readonly [suffix: string, exponent: number])[] = [
  ['E', 18],
  ['P', 15],
  ['T', 12],
  ['G', 9],
  ['M', 6],
  ['k', 3],
  ['', 0],
  ['m', -3],
  ['u', -6],
  ['n', -9],
];
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** The quantity in `text`, or undefined when it is none. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = SYNTAX.exec(text);
  if (match === null) return undefined;
  const [, sign = '', number = '', suffix = ''] = match;
  const [whole = '', fraction = ''] = number.split('.');
  const digits = BigInt(`${whole}${fraction}`);
  const binary = suffix === '' ? -1 : BINARY.indexOf(suffix);
  const exponent = binary >= 0 ? 0 : decimalExponent(suffix);
  const scaled = digits * (binary >= 0 ? 1024n ** BigInt(binary) : 1n);
  const magnitude = scaleUp(scaled, exponent + 9 - fraction.length);
  const capped = magnitude > MAX_NANOS ? MAX_NANOS : magnitude;
  const format = binary >= 0 ? 'BinarySI' : /^[eE].+/.test(suffix) ? 'DecimalExponent' : 'DecimalSI';
  return { nanos: sign === '-' ? -capped : capped, format };
}

/** The canonical form: no fraction, the largest suffix that allows it. */
function formatQuantity({ nanos, format }: Quantity): string {
  if (nanos === 0n) return '0';
  const magnitude = nanos < 0n ? -nanos : nanos;
  const sign = nanos < 0n ? '-' : '';
  if (format === 'BinarySI' && magnitude >= 1024n * NANO && magnitude % NANO === 0n) {
    return sign + binaryForm(magnitude / NANO);
  }
  return sign + decimalForm(magnitude, format === 'DecimalExponent' ? 'exponent' : 'suffix');
}

/** Whole units, rounded up (Quantity.Value): bytes of memory, count of pods. Throws on text that the schema refuses. */
export function quantityValue(text: string): number {
  return Number(divideUp(mustParse(text).nanos, NANO));
}

/** Thousandths, rounded up (Quantity.MilliValue): millicores. Throws on text that the schema refuses. */
export function quantityMilliValue(text: string): number {
  return Number(divideUp(mustParse(text).nanos, MILLI));
}

export const quantitySchema = quantitiesAs((quantity) => quantity);

/** An amount of a resource: no finer than a thousandth, rounded up (SetDefaults_ResourceList). */
export const amountSchema = quantitiesAs(({ nanos, format }) => ({ nanos: divideUp(nanos, MILLI) * MILLI, format }));

function quantitiesAs(change: (quantity: Quantity) => Quantity) {
  return z
    .union([z.string(), z.number()], { error: 'must be a quantity such as 500m, 2 or 128Mi' })
    .transform((value, context) => {
      const quantity = parseQuantity(String(value).trim());
      if (quantity !== undefined) return formatQuantity(change(quantity));
      context.issues.push({
        code: 'invalid_format',
        format: 'quantity',
        input: String(value),
        message: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
      });
      return z.NEVER;
    })
    .meta({ description: 'A quantity: a number with an optional suffix, such as 500m, 2 or 128Mi.' });
}

function mustParse(text: string): Quantity {
  const quantity = parseQuantity(text);
  if (quantity === undefined) throw new Error(`quantity ${JSON.stringify(text)}: not one`);
  return quantity;
}

function decimalExponent(suffix: string): number {
  const si = DECIMAL.find(([name]) => name === suffix);
  return si === undefined ? Number(suffix.slice(1)) : si[1];
}

function scaleUp(digits: bigint, exponent: number): bigint {
  return exponent >= 0 ? digits * 10n ** BigInt(exponent) : divideUp(digits, 10n ** BigInt(-exponent));
}

function divideUp(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value > 0n && value % by !== 0n ? quotient + 1n : quotient;
}

function binaryForm(units: bigint): string {
  let [rest, power] = [units, 0];
  while (power < BINARY.length - 1 && rest % 1024n === 0n) [rest, power] = [rest / 1024n, power + 1];
  return `${rest}${BINARY[power] ?? ''}`;
}

function decimalForm(nanos: bigint, style: 'suffix' | 'exponent'): string {
  let [rest, exponent] = [nanos, -9];
  while (exponent < 18 && rest % 1000n === 0n) [rest, exponent] = [rest / 1000n, exponent + 3];
  if (style === 'exponent') return exponent === 0 ? String(rest) : `${rest}e${exponent}`;
  return `${rest}${DECIMAL.find(([, value]) => value === exponent)?.[0] ?? ''}`;
}
