import { fieldInvalid, fieldNotSupported } from '../meta/field-error.ts';
import { ipAddress } from '../meta/names.ts';
import type { FieldError } from '../meta/status.ts';
import { ACCEPT_PROXY_PROTOCOL, SEND_PROXY_PROTOCOL } from '../meta/well-known.ts';

interface Annotated {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> | undefined };
}

export interface Network {
  readonly address: string;
  readonly prefixLength: number;
}

const VERSIONS = ['v1', 'v2'] as const;

/** A Service whose app is told who its clients are, in which version of the PROXY protocol; undefined where it is not. */
export function sentProxyProtocol({ metadata }: Annotated): (typeof VERSIONS)[number] | undefined {
  return VERSIONS.find((version) => version === metadata.annotations?.[SEND_PROXY_PROTOCOL]);
}

/** Networks whose word a Gateway takes for who its clients are; empty for anybody's, undefined where it takes nobody's. */
export function acceptedProxyProtocol({ metadata }: Annotated): readonly Network[] | undefined {
  const text = metadata.annotations?.[ACCEPT_PROXY_PROTOCOL];
  if (text === undefined || networkErrors(text).length > 0) return undefined;
  const words = wordsOf(text);
  return words.includes('*') ? [] : words.flatMap((word) => networkOf(word) ?? []);
}

export function proxyProtocolErrors({ metadata }: Annotated): readonly FieldError[] {
  const { [SEND_PROXY_PROTOCOL]: version, [ACCEPT_PROXY_PROTOCOL]: networks } = metadata.annotations ?? {};
  return [
    ...(version === undefined || VERSIONS.some((known) => known === version)
      ? []
      : [fieldNotSupported(`metadata.annotations[${SEND_PROXY_PROTOCOL}]`, version, [...VERSIONS])]),
    ...(networks === undefined ? [] : networkErrors(networks)),
  ];
}

function networkErrors(text: string): readonly FieldError[] {
  const wrong = wordsOf(text).find((word) => word !== '*' && networkOf(word) === undefined);
  if (wrong === undefined && wordsOf(text).length > 0) return [];
  const wanted =
    'must be * or addresses and networks of those who may connect, such as 10.0.0.0/8, with commas between';
  return [fieldInvalid(`metadata.annotations[${ACCEPT_PROXY_PROTOCOL}]`, text, wanted)];
}

function wordsOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function networkOf(word: string): Network | undefined {
  const [address = '', prefix, ...rest] = word.split('/');
  if (rest.length > 0 || ipAddress(address).length > 0) return undefined;
  const longest = address.includes(':') ? 128 : 32;
  if (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) return undefined;
  const prefixLength = prefix === undefined ? longest : Number(prefix);
  return prefixLength <= longest ? { address, prefixLength } : undefined;
}
