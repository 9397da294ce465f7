import { type Store, StoreClosedError, StoreUnreachableError } from '../../control/store/store.ts';
import type { Random } from '../../kit/random.ts';
import type { Action, Answer, Operation } from './history.ts';

export interface ClientOptions {
  readonly name: string;
  readonly store: Pick<Store, 'get' | 'transact'>;
  readonly keys: readonly string[];
  readonly random: Random;
  /** Of one clock for all clients. */
  readonly now: () => number;
  /** Hears of each call before it is made, so that one that is never answered is known. */
  readonly onCall?: (operation: Omit<Operation, 'answer' | 'answeredAt'>) => void;
  readonly onAnswer: (operation: Operation) => void;
  /** Most operations, unless the signal aborts first. */
  readonly operations: number;
  readonly signal: AbortSignal;
}

/** A client that does one thing after the other on few keys, so that clients meet. */
export async function runClient(options: ClientOptions): Promise<void> {
  const { name, store, keys, random, now, signal } = options;
  /** The revision that it saw last, by key: what it compares with. */
  const seen = new Map<string, number>();
  for (let turn = 0; turn < options.operations && !signal.aborted; turn++) {
    const key = keys[Math.floor(random() * keys.length)] as string;
    const action = chooseAction(random(), seen.get(key) ?? 0, `${name}.${turn}`);
    const call = { client: name, key, action, calledAt: now() };
    options.onCall?.(call);
    const answer = await perform(store, key, action);
    if (answer === undefined) continue;
    if (answer.type === 'read') seen.set(key, answer.present?.revision ?? 0);
    if (answer.type === 'written') seen.set(key, action.type === 'delete' ? 0 : answer.revision);
    options.onAnswer({ ...call, answer, answeredAt: now() });
  }
}

function chooseAction(draw: number, seen: number, value: string): Action {
  if (draw < 0.4) return { type: 'read' };
  if (draw < 0.6) return { type: 'put', value };
  if (draw < 0.92) return { type: 'swap', revision: seen, value };
  return { type: 'delete' };
}

/** Undefined when it has certainly done nothing. */
async function perform(store: ClientOptions['store'], key: string, action: Action): Promise<Answer | undefined> {
  try {
    if (action.type === 'read') {
      const entry = await store.get(key);
      return { type: 'read', present: entry && { value: entry.value, revision: entry.revision } };
    }
    const result = await store.transact({
      compare: action.type === 'swap' ? [{ key, revision: action.revision }] : [],
      put: action.type === 'delete' ? [] : [{ key, value: action.value }],
      delete: action.type === 'delete' ? [key] : [],
    });
    if (result.ok) return { type: 'written', revision: result.revision };
    return { type: 'conflict', revision: result.present?.revision ?? 0 };
  } catch (error) {
    if (action.type === 'read' || error instanceof StoreUnreachableError) return undefined;
    if (error instanceof StoreClosedError || (error as Error).name === 'OutcomeUnknownError')
      return { type: 'unknown' };
    throw error;
  }
}
