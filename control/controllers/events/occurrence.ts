/** Something that happened to an object, as a decider tells it. */
export interface Occurrence {
  readonly type: 'Normal' | 'Warning';
  /** Why, in one word: ScalingReplicaSet. */
  readonly reason: string;
  readonly message: string;
}
