import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { controllerOf } from '../controllers/owner.ts';
import { isTerminal } from '../controllers/pod-state.ts';
import { type Cost, LEAST_COST, type NodeCandidate, type PodToPlace } from './candidate.ts';
import { type Amounts, add, amountsOf, podRequests } from './resources.ts';

interface PlacedPod {
  readonly placed: PodToPlace;
  readonly node: string;
}

interface NodeState {
  node: Node | undefined;
  allocatable: Amounts;
  readonly requested: Map<string, number>;
  assumedCost: Cost;
  podCount: number;
  readonly podsOfOwner: Map<string, number>;
}

/**
 * Nodes with what is on them, kept up pod by pod. A pod that was placed counts from that moment, long before the cache
 * shows it bound: two pods in a row never get the same room.
 */
export class ClusterView {
  readonly #nodes = new Map<string, NodeState>();
  readonly #pods = new Map<string, PlacedPod>();
  /** Placed here and not seen bound yet. */
  readonly #assumed = new Set<string>();

  setNode(node: Node): void {
    const state = this.#stateOf(node.metadata.name);
    state.node = node;
    state.allocatable = amountsOf(node.status.allocatable ?? node.status.capacity);
  }

  removeNode({ metadata }: Node): void {
    const state = this.#stateOf(metadata.name);
    state.node = undefined;
    if (state.podCount === 0) this.#nodes.delete(metadata.name);
  }

  /** The cache shows the pod as it is now. One that has ended takes no room any more; one that is ending does. */
  setPod(pod: Pod): void {
    const { uid } = pod.metadata;
    if (!pod.spec.nodeName) return;
    this.#assumed.delete(uid);
    if (isTerminal(pod)) return this.#take(uid);
    const known = this.#pods.get(uid);
    if (known?.node === pod.spec.nodeName) return;
    this.#put(toPlace(pod), pod.spec.nodeName);
  }

  removePod({ metadata }: Pod): void {
    this.#assumed.delete(metadata.uid);
    this.#take(metadata.uid);
  }

  /** The pod will be bound to the node: it counts from now on. */
  assume(pod: PodToPlace, node: string): void {
    this.#assumed.add(pod.pod.metadata.uid);
    this.#put(pod, node);
  }

  /** The binding failed. */
  forget({ pod }: PodToPlace): void {
    // Seen bound meanwhile: then it did not fail.
    if (this.#assumed.delete(pod.metadata.uid)) this.#take(pod.metadata.uid);
  }

  isPlaced(uid: string): boolean {
    return this.#pods.has(uid);
  }

  candidates(): readonly NodeCandidate[] {
    return [...this.#nodes.values()].flatMap(({ node, ...state }) => (node === undefined ? [] : { node, ...state }));
  }

  #put(placed: PodToPlace, node: string): void {
    const { uid } = placed.pod.metadata;
    this.#take(uid);
    this.#pods.set(uid, { placed, node });
    this.#count(placed, node, 1);
  }

  #take(uid: string): void {
    const known = this.#pods.get(uid);
    if (known === undefined) return;
    this.#pods.delete(uid);
    this.#count(known.placed, known.node, -1);
    const state = this.#nodes.get(known.node);
    if (state?.node === undefined && state?.podCount === 0) this.#nodes.delete(known.node);
  }

  #count({ requests, assumedCost, owner }: PodToPlace, node: string, sign: 1 | -1): void {
    const state = this.#stateOf(node);
    add(state.requested, requests, sign);
    state.podCount += sign;
    state.assumedCost = {
      milliCpu: state.assumedCost.milliCpu + sign * assumedCost.milliCpu,
      memoryBytes: state.assumedCost.memoryBytes + sign * assumedCost.memoryBytes,
    };
    const ofOwner = (state.podsOfOwner.get(owner) ?? 0) + sign;
    if (ofOwner === 0) state.podsOfOwner.delete(owner);
    else state.podsOfOwner.set(owner, ofOwner);
  }

  #stateOf(name: string): NodeState {
    const present = this.#nodes.get(name);
    if (present !== undefined) return present;
    const state: NodeState = {
      node: undefined,
      allocatable: new Map(),
      requested: new Map(),
      assumedCost: { milliCpu: 0, memoryBytes: 0 },
      podCount: 0,
      podsOfOwner: new Map(),
    };
    this.#nodes.set(name, state);
    return state;
  }
}

export function toPlace(pod: Pod): PodToPlace {
  const requests = podRequests(pod);
  return {
    pod,
    requests,
    assumedCost: {
      milliCpu: requests.get('cpu') ?? LEAST_COST.milliCpu,
      memoryBytes: requests.get('memory') ?? LEAST_COST.memoryBytes,
    },
    owner: controllerOf(pod)?.uid ?? '',
  };
}
