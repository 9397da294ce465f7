import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** What one process of the machine has and no other: until it is let go, or the process ends, however it does. */
export interface Claim {
  release(): void;
}

/**
 * Stands for a place that others will listen at later, and that must not be given out twice meanwhile. The sign is a UDP socket
 * bound there: TCP servers do not notice it. Undefined when another process, or another part of this one, has it.
 */
export async function claim(address: string, port: number): Promise<Claim | undefined> {
  const socket = createSocket('udp4').bind({ address, port, exclusive: true });
  try {
    await once(socket, 'listening');
    socket.unref();
  } catch (error) {
    socket.close();
    // What else may be wrong with the address is said by whoever listens there.
    return (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? undefined : { release: () => undefined };
  }
  return { release: () => socket.close() };
}
