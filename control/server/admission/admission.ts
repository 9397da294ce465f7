import type { Kind, KubeObject } from '../../../api/kinds/kind.ts';
import type { User } from '../authn/user.ts';
import type { Allocator } from './allocator.ts';
import { admitNamespace } from './namespace-life.ts';
import { admitNode } from './node-range.ts';
import { refuseForeignNode } from './node-restriction.ts';
import { admitPod } from './pod-identity.ts';
import { admitService } from './service-addresses.ts';

/** A write on its way to the store, after defaults and before validation. */
export interface AdmissionRequest<T extends KubeObject = KubeObject> {
  readonly kind: Pick<Kind, 'group' | 'kind' | 'plural'>;
  readonly object: T;
  /** What is stored now; undefined on create. */
  readonly old: T | undefined;
  readonly user: User;
}

export interface AdmissionTools {
  readonly allocator: Allocator;
}

/** Gives the object as it goes on, or throws ApiError to refuse it. */
export type AdmissionStep = (request: AdmissionRequest, tools: AdmissionTools) => Promise<KubeObject> | KubeObject;

/** The order matters: who may write comes first, what is given out last. */
const STEPS: readonly AdmissionStep[] = [refuseForeignNode, admitNamespace, admitPod, admitService, admitNode];

/** What stands between a well-formed object and the store: fields that the server gives, and who may write what. */
export class Admission {
  readonly #tools: AdmissionTools;

  constructor(tools: AdmissionTools) {
    this.#tools = tools;
  }

  async admit<T extends KubeObject>(request: AdmissionRequest<T>): Promise<T> {
    let admitted = request as unknown as AdmissionRequest;
    for (const step of STEPS) admitted = { ...admitted, object: await step(admitted, this.#tools) };
    return admitted.object as T;
  }
}
