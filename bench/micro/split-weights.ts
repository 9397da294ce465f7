import { Split } from '../../proxy/route/split.ts';
import type { Micro } from './measure.ts';

const WEIGHTS = [80, 15, 5];

export const splitWeights: Micro = {
  name: 'split-weights',
  about: 'one of three weighted clusters',
  prepare: () => {
    const split = new Split(0.5);
    return { run: () => split.next(WEIGHTS, 100) };
  },
};
