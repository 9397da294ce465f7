import type { Node, NodeCondition } from '../../api/kinds/node.ts';
import { setCondition } from '../../api/meta/condition.ts';

/** The machine, as the agent found it. */
export interface Machine {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly architecture: string;
  readonly operatingSystem: string;
  readonly osImage: string;
  readonly kernelVersion: string;
  readonly machineId: string;
  readonly bootId: string;
  readonly freeDiskBytes: number;
  readonly nodeVersion: string;
}

export interface NodeFacts {
  readonly name: string;
  readonly address: string;
  readonly machine: Machine;
  /** Where the agent's server answers. */
  readonly port: number;
  readonly version: string;
}

/** As many pods as the node has addresses for, less one that rests: `/22`. The kubelet's default is 110. */
const MAX_PODS = 1000;
/** What is left to the machine itself, as the kubelet's systemReserved does. */
const RESERVED_MEMORY_BYTES = 256 * 1024 * 1024;

export function nodeLabels({ name, machine }: NodeFacts): Record<string, string> {
  return {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': machine.operatingSystem,
    'kubernetes.io/arch': machine.architecture,
  };
}

export function nodeAllocatable({ machine }: Pick<NodeFacts, 'machine'>): Record<string, string> {
  const memory = Math.max(machine.memoryBytes / 2, machine.memoryBytes - RESERVED_MEMORY_BYTES);
  return resources(machine, memory);
}

/** The status that the agent writes; `before` gives the times of conditions that have not changed. */
export function nodeStatus(facts: NodeFacts, before: readonly NodeCondition[], now: string): Node['status'] {
  const { machine } = facts;
  return {
    capacity: resources(machine, machine.memoryBytes),
    allocatable: nodeAllocatable(facts),
    conditions: conditions(before, now),
    addresses: [
      { type: 'InternalIP', address: facts.address },
      { type: 'Hostname', address: facts.name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: facts.port } },
    nodeInfo: {
      machineID: machine.machineId,
      systemUUID: machine.machineId,
      bootID: machine.bootId,
      kernelVersion: machine.kernelVersion,
      osImage: machine.osImage,
      containerRuntimeVersion: `process://${machine.nodeVersion}`,
      kubeletVersion: facts.version,
      kubeProxyVersion: '',
      operatingSystem: machine.operatingSystem,
      architecture: machine.architecture,
    },
  };
}

function resources(machine: Machine, memoryBytes: number): Record<string, string> {
  return {
    cpu: String(machine.cpus),
    memory: `${Math.floor(memoryBytes / 1024)}Ki`,
    'ephemeral-storage': `${Math.floor(machine.freeDiskBytes / 1024)}Ki`,
    pods: String(MAX_PODS),
  };
}

function conditions(before: readonly NodeCondition[], now: string): NodeCondition[] {
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    message: 'the agent is ready for pods',
  } as const;
  return setCondition(before, ready, now)
    .filter(({ type }) => type === 'Ready')
    .map((condition) => ({ ...condition, lastHeartbeatTime: now }));
}
