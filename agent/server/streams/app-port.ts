import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { PodWorker } from '../../pod/pod-worker.ts';

export type AppPort = { readonly ok: true; readonly port: number } | { readonly ok: false; readonly message: string };

const CONNECT_WITHIN_MS = 10_000;

/**
 * The port on 127.0.0.1 that stands for a container's port. Only ports that the pod declares are forwarded: containers share
 * the node's loopback with everything else there, and the right to one pod is no right to all of that.
 */
export function appPort({ pod, appPorts: ports }: Pick<PodWorker, 'pod' | 'appPorts'>, port: number): AppPort {
  const real = Object.hasOwn(ports, String(port)) ? ports[String(port)] : undefined;
  if (real !== undefined) return { ok: true, port: real };
  const declared = Object.keys(ports).join(', ') || 'none';
  const message = `port ${port} of pod "${pod.metadata.name}": not a containerPort of the pod, which has ${declared}`;
  return { ok: false, message };
}

/** A connection to it. Rejects when nobody listens. */
export async function connectApp(port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, AbortSignal.timeout(CONNECT_WITHIN_MS)]) });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
