import { randomInt, randomUUID } from 'node:crypto';

/** An object's uid: RFC 9562 version 4, as Kubernetes gives them. */
export function newUid(): string {
  return randomUUID();
}

// Kubernetes' alphabet for generated names: no vowels and no look-alikes, so that no word appears by accident
// (k8s.io/apimachinery/pkg/util/rand).
const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** The random end of a generated name, five characters by default as for `generateName`. */
export function nameSuffix(length = 5): string {
  let suffix = '';
  for (let at = 0; at < length; at++) suffix += NAME_ALPHABET.charAt(randomInt(NAME_ALPHABET.length));
  return suffix;
}

/** Maps a number to Kubernetes' safe alphabet digit by digit: the form of a pod-template-hash. */
export function safeEncode(text: string): string {
  let encoded = '';
  for (const character of text) {
    encoded += NAME_ALPHABET.charAt((character.codePointAt(0) ?? 0) % NAME_ALPHABET.length);
  }
  return encoded;
}
