import type { Score } from '../candidate.ts';

/**
 * Pods of one owner are best on different nodes, so that one node's loss takes few of them: 100 for a node without any,
 * 0 for the one that has the most, in between in proportion.
 */
export const spread: Score = {
  name: 'Spread',
  rate: ({ owner }, candidates) => {
    const counts = candidates.map(({ podsOfOwner }) => (owner === '' ? 0 : (podsOfOwner.get(owner) ?? 0)));
    const most = Math.max(0, ...counts);
    return counts.map((count) => (most === 0 ? 100 : (100 * (most - count)) / most));
  },
};
