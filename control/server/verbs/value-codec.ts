import type { Kind } from '../../../api/kinds/kind.ts';

/**
 * The last step before the store and the first after it: text in, text out. The one place where encryption at rest
 * goes. The key is given so that a sealed value cannot be moved to another key.
 */
export interface ValueCodec {
  seal(kind: Pick<Kind, 'group' | 'plural'>, key: string, text: string): string;
  open(kind: Pick<Kind, 'group' | 'plural'>, key: string, value: string): string;
}

export const plainValues: ValueCodec = {
  seal: (_kind, _key, text) => text,
  open: (_kind, _key, value) => value,
};
