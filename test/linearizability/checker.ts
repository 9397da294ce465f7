import type { Operation } from './history.ts';
import { apply, EMPTY, type Register } from './register.ts';

/** Why a history has no order; undefined when it has one. */
export type Finding = string | undefined;

/** Steps that one key's search may take. A history that needs more has too many unanswered operations to be told. */
const MAX_STEPS = 5_000_000;

/** Checks a whole history, key by key. Throws when a search is too long to be finished. */
export function checkHistory(history: readonly Operation[]): readonly string[] {
  const byKey = Map.groupBy(history, ({ key }) => key);
  return [...byKey].flatMap(([key, operations]) => {
    const finding = checkKey(operations);
    return finding === undefined ? [] : [`key ${key}: ${finding}`];
  });
}

interface Node {
  readonly index: number;
  /** The answer's node of a call; undefined for an answer. */
  readonly answer: Node | undefined;
  previous: Node | undefined;
  next: Node | undefined;
}

/**
 * Wing and Gong's search ("Testing and Verifying Concurrent Objects", 1993) over the operations of one key, remembering sets of done
 * operations with the state they led to, as in Lowe ("Testing for linearizability", 2017): what led nowhere once is not tried again.
 */
export function checkKey(operations: readonly Operation[]): Finding {
  const head = linked(operations);
  const seen = new Set<string>();
  const done: { readonly node: Node; readonly before: Register }[] = [];
  let state = EMPTY;
  let set = 0n;
  let furthest = -1;
  let stuckAt = '';
  let node = head.next;
  for (let steps = 0; head.next !== undefined; steps++) {
    if (steps > MAX_STEPS) throw new Error(`linearizability: gave up after ${MAX_STEPS} steps on one key`);
    if (node === undefined) throw new Error('linearizability: the list of a history has ended too early');
    if (node.answer === undefined) {
      // This operation must have taken effect by now, and no order lets it: another order of what came before is tried.
      if (done.length > furthest) {
        furthest = done.length;
        stuckAt = `${describe(operations[node.index] as Operation)} fits no order; the key was ${JSON.stringify(state)} after ${done.length} of ${operations.length} operations`;
      }
      const last = done.pop();
      if (last === undefined) return stuckAt;
      putBack(last.node);
      set &= ~(1n << BigInt(last.node.index));
      state = last.before;
      node = last.node.next;
      continue;
    }
    const after = apply(state, operations[node.index] as Operation);
    const nextSet = set | (1n << BigInt(node.index));
    const memory = after === undefined ? '' : `${nextSet.toString(36)} ${after.value} ${after.revision} ${after.floor}`;
    if (after === undefined || seen.has(memory)) {
      node = node.next;
      continue;
    }
    seen.add(memory);
    done.push({ node, before: state });
    takeOut(node);
    state = after;
    set = nextSet;
    node = head.next;
  }
  return undefined;
}

/** Calls and answers in the order of time. A call at the very time of an answer counts as before it: the more generous reading. */
function linked(operations: readonly Operation[]): Node {
  const events = operations.flatMap(({ calledAt, answeredAt, answer }, index) => [
    { index, at: calledAt, isCall: true },
    { index, at: answer.type === 'unknown' ? Number.POSITIVE_INFINITY : answeredAt, isCall: false },
  ]);
  events.sort((one, other) => one.at - other.at || Number(other.isCall) - Number(one.isCall));
  const head: Node = { index: -1, answer: undefined, previous: undefined, next: undefined };
  const answers = operations.map(
    (_, index): Node => ({ index, answer: undefined, previous: undefined, next: undefined }),
  );
  let last = head;
  for (const { index, isCall } of events) {
    const answer = answers[index] as Node;
    const node: Node = isCall ? { index, answer, previous: undefined, next: undefined } : answer;
    last.next = node;
    node.previous = last;
    last = node;
  }
  return head;
}

function takeOut(call: Node): void {
  for (const node of [call, call.answer as Node]) {
    if (node.previous !== undefined) node.previous.next = node.next;
    if (node.next !== undefined) node.next.previous = node.previous;
  }
}

/** The other way round: each node still knows its neighbours. */
function putBack(call: Node): void {
  for (const node of [call.answer as Node, call]) {
    if (node.previous !== undefined) node.previous.next = node;
    if (node.next !== undefined) node.next.previous = node;
  }
}

function describe({ client, action, answer, calledAt, answeredAt }: Operation): string {
  return `${client}: ${JSON.stringify(action)} answered ${JSON.stringify(answer)} (${calledAt.toFixed(3)} to ${answeredAt.toFixed(3)})`;
}
