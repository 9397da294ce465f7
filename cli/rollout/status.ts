import type { Deployment } from '../../api/kinds/deployment.ts';

/**
 * What kubectl says of a rollout, by the same rules (k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go), so that people
 * and scripts read what they know. Pure.
 */
export type RolloutState =
  | { readonly kind: 'done'; readonly message: string }
  | { readonly kind: 'running'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

export function rolloutState(deployment: Deployment): RolloutState {
  const { name, generation = 0 } = deployment.metadata;
  const status = deployment.status ?? {};
  if (generation > (status.observedGeneration ?? 0)) {
    return { kind: 'running', message: 'Waiting for deployment spec update to be observed...' };
  }
  const progressing = status.conditions?.find(({ type }) => type === 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    return { kind: 'failed', message: `deployment "${name}" exceeded its progress deadline` };
  }
  const wanted = deployment.spec.replicas ?? 1;
  const { updatedReplicas: updated = 0, replicas = 0, availableReplicas: available = 0 } = status;
  const wait = (what: string): RolloutState => ({
    kind: 'running',
    message: `Waiting for deployment "${name}" rollout to finish: ${what}...`,
  });
  if (updated < wanted) return wait(`${updated} out of ${wanted} new replicas have been updated`);
  if (replicas > updated) return wait(`${replicas - updated} old replicas are pending termination`);
  if (available < updated) return wait(`${available} of ${updated} updated replicas are available`);
  return { kind: 'done', message: `deployment "${name}" successfully rolled out` };
}
