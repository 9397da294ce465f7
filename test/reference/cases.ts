import type { Case } from './case.ts';
import { applies } from './cases/apply.ts';
import { cluster } from './cases/cluster.ts';
import { discovery } from './cases/discovery.ts';
import { eachKind } from './cases/each-kind.ts';
import { manifests } from './cases/manifests.ts';
import { payloads } from './cases/payloads.ts';
import { pods } from './cases/pods.ts';
import { reads } from './cases/reads.ts';
import { requests } from './cases/requests.ts';
import { gatewayApi } from './cases/routes.ts';
import { services } from './cases/services.ts';
import { workloads } from './cases/workloads.ts';

/** Every case, by the file under recorded/ that has its answers. */
export const CASES: Readonly<Record<string, readonly Case[]>> = {
  'each-kind': eachKind,
  pods,
  workloads,
  services,
  payloads,
  cluster,
  routes: gatewayApi,
  reads,
  requests,
  apply: applies,
  manifests,
  discovery,
};
