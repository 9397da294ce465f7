import { seededRandom } from '../../kit/random.ts';
import type { ClusterConfig } from '../../proxy/cluster/cluster-config.ts';
import { ClusterState } from '../../proxy/cluster/cluster-state.ts';
import { cluster } from '../../proxy/test-support/tables.ts';
import type { Micro, Operation } from './measure.ts';

const ENDPOINTS = 20;

function picking(policy: ClusterConfig['policy']): Operation {
  const state = new ClusterState(
    cluster(
      'app',
      Array.from({ length: ENDPOINTS }, (_, at) => at + 1),
      { policy },
    ),
  );
  const random = seededRandom(1);
  return { run: () => state.pick(undefined, 0, random) };
}

export const balanceRoundRobin: Micro = {
  name: 'balance-round-robin',
  about: `one of ${ENDPOINTS} endpoints, in turn by weight`,
  prepare: () => picking('round-robin'),
};

export const balanceLeastRequest: Micro = {
  name: 'balance-least-request',
  about: `the idler of two of ${ENDPOINTS} endpoints`,
  prepare: () => picking('least-request'),
};
