/** Something that happened to an object, as a decider tells it. */
export interface Occurrence {
  readonly type: 'Normal' | 'Warning';
  /** Why, in one word, Kubernetes' own where it has one: ScalingReplicaSet, Started. */
  readonly reason: string;
  readonly message: string;
  /** The part of the object: `spec.containers{web}`. */
  readonly fieldPath?: string;
}
