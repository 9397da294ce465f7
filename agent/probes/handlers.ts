import type { Probe } from '../../api/kinds/probe.ts';
import type { Clock } from '../../kit/clock.ts';
import type { ExecResult } from '../runtime/runtime.ts';
import type { Outcome } from './decide.ts';
import { probeExec } from './exec.ts';
import { probeGrpc } from './grpc.ts';
import { probeHttp } from './http.ts';
import { probeTcp } from './tcp.ts';

/** What came of one probe; the message is for events, in the kubelet's words. */
export interface ProbeResult {
  readonly outcome: Outcome;
  readonly message: string;
}

/** The container that is probed, as seen from the node. */
export interface ProbeTarget {
  /** Where the container's ports are. */
  readonly address: string;
  /** The port on that address for a container port, by number or name; undefined when the container has no such name. */
  readonly port: (port: number | string) => number | undefined;
  readonly exec: (command: readonly string[], timeoutMs: number) => Promise<ExecResult>;
  readonly clock: Clock;
}

/** Makes the one probe that is set. Never throws: what goes wrong is an outcome. */
export async function runProbe(probe: Probe, target: ProbeTarget): Promise<ProbeResult> {
  const timeoutMs = probe.timeoutSeconds * 1000;
  try {
    if (probe.exec !== undefined) return await probeExec(probe.exec, target, timeoutMs);
    if (probe.httpGet !== undefined) return await probeHttp(probe.httpGet, target, timeoutMs);
    if (probe.tcpSocket !== undefined) return await probeTcp(probe.tcpSocket, target, timeoutMs);
    if (probe.grpc !== undefined) return await probeGrpc(probe.grpc, target, timeoutMs);
    return { outcome: 'error', message: 'the probe has no handler' };
  } catch (error) {
    return { outcome: 'error', message: (error as Error).message };
  }
}
