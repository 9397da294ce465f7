import type { ObjectRef } from '../../../api/client/client.ts';
import type { Deployment } from '../../../api/kinds/deployment.ts';
import { apiVersionOf, type Kind, type KubeObject } from '../../../api/kinds/kind.ts';
import { type Scale, scaleSchema } from '../../../api/kinds/scale.ts';
import { ApiError, STALE_WRITE } from '../../../api/meta/api-error.ts';
import { formatLabelSelector } from '../../../api/meta/label-selector.ts';
import { applyPatch, type PlainPatchType } from './apply-patch.ts';
import { decodeObject } from './decode-object.ts';
import { getObject } from './get.ts';
import { mutate, type Outcome } from './mutate.ts';
import { type ApplyRequest, applyObject } from './server-side-apply.ts';
import { replaceWith } from './update.ts';
import type { VerbContext, WriteRequest } from './verb-context.ts';

/** What autoscaling/v1 Scale shows is the same for every kind that has it. */
type Scalable = Pick<Deployment, 'metadata' | 'spec' | 'status'>;

const SCALE = { group: 'autoscaling', version: 'v1', kind: 'Scale', schema: scaleSchema };

/** A PUT brings the whole Scale, a PATCH what changes of it. */
export type ScaleChange = { readonly input: unknown } | { readonly type: PlainPatchType; readonly patch: unknown };

export async function getScale<T extends KubeObject>(
  context: VerbContext,
  kind: Kind<T>,
  ref: ObjectRef,
): Promise<Scale> {
  return scaleOf(await getObject(context, kind, ref));
}

/** Sets spec.replicas of the object and gives its Scale. */
export async function setScale<T extends KubeObject>(
  context: VerbContext,
  kind: Kind<T>,
  request: WriteRequest & { readonly ref: ObjectRef },
  change: ScaleChange,
): Promise<Scale> {
  const decide = async (current: T): Promise<Outcome<T>> => {
    const input =
      'type' in change ? applyPatch(change.type, scaleOf(current), change.patch, scaleSchema) : change.input;
    const wanted = decodeObject(SCALE, input, request);
    const { resourceVersion } = wanted.metadata;
    if (resourceVersion && resourceVersion !== current.metadata.resourceVersion) {
      throw ApiError.conflict(kind, request.ref.name, STALE_WRITE);
    }
    const { spec } = current as unknown as Scalable;
    const scaled = { ...current, spec: { ...spec, replicas: wanted.spec.replicas } };
    return await replaceWith(context, kind, current, { ...request, input: scaled, through: 'scale' });
  };
  const { ref, dryRun } = request;
  return scaleOf((await mutate(context, { kind, ref, decide, dryRun })).object);
}

/** Applies a Scale: what its manager owns of the object is the number of replicas. */
export async function applyScale<T extends KubeObject>(
  context: VerbContext,
  kind: Kind<T>,
  request: Omit<ApplyRequest, 'door'>,
): Promise<Scale> {
  const { spec } = decodeObject(SCALE, request.config, request);
  const config = { apiVersion: apiVersionOf(kind), kind: kind.kind, spec: { replicas: spec.replicas } };
  return scaleOf((await applyObject(context, kind, { ...request, config, door: 'scale' })).object);
}

function scaleOf(object: KubeObject): Scale {
  const { metadata, spec, status } = object as unknown as Scalable;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec.replicas },
    status: { replicas: status.replicas ?? 0, selector: formatLabelSelector(spec.selector) },
  };
}
