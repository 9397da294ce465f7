import type { Pod } from '../../api/kinds/pod.ts';
import { parseQuantity } from '../../api/meta/quantity.ts';
import type { PodStage } from './lifecycle.ts';

/** Why a pod must end here although its object stays, in the kubelet's words. Its phase is Failed then. */
export interface Doom {
  readonly reason: 'DeadlineExceeded' | 'Evicted';
  readonly message: string;
}

/** What a volume of the pod holds, in bytes. */
export interface VolumeSize {
  readonly name: string;
  readonly bytes: number;
}

/** A pod is only ever doomed while it has not ended. */
export function mayBeDoomed(stage: PodStage): boolean {
  return ['preparing', 'joining', 'initializing', 'running'].includes(stage);
}

/** What was decided of the pod before, as its status has it: a new agent holds to that. */
export function doomBefore({ status }: Pod): Doom | undefined {
  const { reason, message = '' } = status;
  return reason === 'DeadlineExceeded' || reason === 'Evicted' ? { reason, message } : undefined;
}

export function deadlineAtMs({ spec }: Pod, startTimeMs: number): number | undefined {
  return spec.activeDeadlineSeconds === undefined ? undefined : startTimeMs + spec.activeDeadlineSeconds * 1000;
}

/** pkg/kubelet/active_deadline.go */
export function overdue(pod: Pod, startTimeMs: number, nowMs: number): Doom | undefined {
  const atMs = deadlineAtMs(pod, startTimeMs);
  if (atMs === undefined || nowMs < atMs) return undefined;
  return {
    reason: 'DeadlineExceeded',
    message: 'Pod was active on the node longer than the specified deadline',
  };
}

/** The emptyDirs of a pod that may only hold so much, in bytes. */
export function limitedVolumes({ spec }: Pod): readonly VolumeSize[] {
  return (spec.volumes ?? []).flatMap(({ name, emptyDir }) => {
    const nanos = emptyDir?.sizeLimit === undefined ? undefined : parseQuantity(emptyDir.sizeLimit)?.nanos;
    return nanos === undefined || nanos === 0n ? [] : [{ name, bytes: Number(nanos / 1_000_000_000n) }];
  });
}

/** pkg/kubelet/eviction, emptyDirLimitEviction */
export function tooLarge(pod: Pod, sizes: readonly VolumeSize[]): Doom | undefined {
  const over = limitedVolumes(pod).find(({ name, bytes }) =>
    sizes.some((each) => each.name === name && each.bytes > bytes),
  );
  if (over === undefined) return undefined;
  const limit = pod.spec.volumes?.find(({ name }) => name === over.name)?.emptyDir?.sizeLimit ?? '';
  return { reason: 'Evicted', message: `Usage of EmptyDir volume "${over.name}" exceeds the limit "${limit}".` };
}
