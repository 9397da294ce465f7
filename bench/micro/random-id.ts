import { drawHex } from '../../proxy/filters/random-hex.ts';
import type { Micro } from './measure.ts';

export const randomId: Micro = {
  name: 'random-id',
  about: 'a request id of 16 random bytes',
  prepare: () => ({ run: () => drawHex(16) }),
};
