import type { Operation } from './history.ts';

/** A key between two operations. */
export interface Register {
  readonly value: string | undefined;
  /** Undefined after a write whose answer was lost, until somebody has read it. 0 when there is no value. */
  readonly revision: number | undefined;
  /** The newest revision that is known to have touched the key. */
  readonly floor: number;
}

export const EMPTY: Register = { value: undefined, revision: 0, floor: 0 };

/** The key after the operation, or undefined when the operation could not have got its answer here. */
export function apply(state: Register, { action, answer }: Operation): Register | undefined {
  switch (action.type) {
    case 'read':
      return answer.type === 'read' ? read(state, answer.present) : undefined;
    case 'put':
      return written(state, answer, action.value);
    case 'delete':
      // A delete of nothing writes nothing, and is answered with the store's present revision.
      if (state.value === undefined) return state;
      return written(state, answer, undefined);
    case 'swap': {
      if (answer.type === 'conflict') {
        if (answer.revision === action.revision) return undefined;
        return revisionIs(state, answer.revision);
      }
      const matched = revisionIs(state, action.revision);
      if (matched !== undefined) return written(matched, answer, action.value);
      return answer.type === 'unknown' ? state : undefined;
    }
    default:
      return action satisfies never;
  }
}

function read(
  state: Register,
  present: { readonly value: string; readonly revision: number } | undefined,
): Register | undefined {
  if (present?.value !== state.value) return undefined;
  return revisionIs(state, present?.revision ?? 0);
}

function written(state: Register, answer: Operation['answer'], value: string | undefined): Register | undefined {
  if (answer.type === 'unknown') return { value, revision: value === undefined ? 0 : undefined, floor: state.floor };
  if (answer.type !== 'written' || answer.revision <= state.floor) return undefined;
  return { value, revision: value === undefined ? 0 : answer.revision, floor: answer.revision };
}

/** The key with this revision, if it can be: one that nobody knew is known from now on. */
function revisionIs(state: Register, revision: number): Register | undefined {
  if (state.revision !== undefined) return state.revision === revision ? state : undefined;
  if (revision <= state.floor) return undefined;
  return { ...state, revision, floor: revision };
}
