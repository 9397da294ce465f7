import type { Clock } from '../../../kit/clock.ts';
import type { Admission } from '../admission/admission.ts';
import type { User } from '../authn/user.ts';
import type { LiveKinds } from './live-kinds.ts';
import type { StoredObjects } from './stored-objects.ts';

/** What every verb stands on. */
export interface VerbContext {
  readonly objects: StoredObjects;
  readonly live: LiveKinds;
  readonly admission: Admission;
  readonly clock: Clock;
}

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** How a write was asked for, whatever it writes. */
export interface WriteRequest {
  readonly user: User;
  /** All steps but the last: nothing is stored. */
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** Who owns what the write sets: a name for people, in the object's managedFields. */
  readonly fieldManager: string;
  /** Takes what the client should know though the write succeeds: `Warning:` headers over HTTP. */
  readonly warn: (text: string) => void;
}
