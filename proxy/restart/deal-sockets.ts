import type { ListeningSocket } from '../engine.ts';
import type { SocketShare, TakenOver } from '../socket/listening-sockets.ts';

/**
 * The sockets of the process before, dealt out to so many workers: one share each. Every socket stays somebody's, because to close one is
 * to reset what waits in its backlog; and every worker gets as many of an address, because the kernel deals out connections evenly by
 * socket. So the number of sockets is the next multiple of the number of workers, and those that it takes more are bound anew. Pure.
 */
export function dealSockets(taken: readonly ListeningSocket[], workers: number): readonly TakenOver[] {
  const shares = Array.from({ length: workers }, () => new Map<string, SocketShare>());
  for (const [key, sockets] of Map.groupBy(taken, (socket) => socket.key)) {
    // In the order of their workers, so that as many workers as before have the sockets that each had.
    const descriptors = sockets.toSorted((left, right) => left.worker - right.worker).map(({ fd }) => fd);
    const each = Math.ceil(descriptors.length / workers);
    shares.forEach((share, worker) => {
      const own = descriptors.filter((_, at) => at % workers === worker);
      share.set(key, { descriptors: own, fresh: each - own.length });
    });
  }
  return shares;
}

/** What a worker has that is started again after its sockets went with it: as many as before. Pure. */
export function boundAnew(takenOver: TakenOver): TakenOver {
  return new Map(
    [...takenOver].map(([key, { descriptors, fresh }]) => [
      key,
      { descriptors: [], fresh: descriptors.length + fresh },
    ]),
  );
}
