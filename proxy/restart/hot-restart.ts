import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import type { Admin } from '../admin/admin.ts';
import type { Bootstrap } from '../bootstrap/bootstrap.ts';
import type { ListeningSocket, Plane } from '../engine.ts';
import { ListeningSockets } from '../socket/listening-sockets.ts';
import { awaitSuccessor, type Predecessor } from './predecessor.ts';
import { socketPath } from './socket-path.ts';
import type { Takeover } from './successor.ts';

export interface HotRestartOptions {
  readonly bootstrap: Bootstrap;
  readonly workers: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const READY_LOOK_MS = 5;

/** This process as successor of the one that runs with the same state folder, and as predecessor of the next. */
export class HotRestart {
  readonly #options: HotRestartOptions;
  readonly #path: string;
  readonly #adminKey: string;
  #before: Takeover | undefined = undefined;

  constructor(options: HotRestartOptions) {
    this.#options = options;
    this.#path = socketPath(options.bootstrap.stateFolder);
    this.#adminKey = `admin ${ListeningSockets.keyOf(options.bootstrap.admin)}`;
  }

  /** Of the admin port of the process before, when it is at the same address. */
  get adminDescriptor(): number | undefined {
    return this.#before?.sockets.find(({ key }) => key === this.#adminKey)?.fd;
  }

  /**
   * The listening sockets of the proxy that runs; undefined when none does. It goes on accepting beside this one until `finish`.
   * Throws when this one has several workers and the addresses cannot be shared among them.
   */
  async begin(): Promise<readonly ListeningSocket[] | undefined> {
    const { workers, clock, log } = this.#options;
    // Loaded only where it is asked for.
    const { takeOver } = await import('./successor.ts');
    const before = await takeOver(this.#path, clock);
    if (before === undefined) {
      log.info('hot restart: no proxy here hands its sockets over; starting as usual');
      return undefined;
    }
    const listening = before.sockets.filter(({ key }) => key !== this.#adminKey);
    const { shareAddress } = await import('./share-address.ts');
    if (workers > 1 && before.workers === 1 && !shareAddress(listening.map(({ fd }) => fd))) {
      before.abandon();
      throw new Error(
        `hot restart: the addresses of the proxy that runs, which has one worker, cannot be shared among ${workers}; start with --concurrency 1, or stop the other first`,
      );
    }
    if (before.workers !== workers)
      log.info({ before: before.workers, workers }, 'hot restart: another number of workers');
    this.#before = before;
    return listening;
  }

  /** Waits until this process carries traffic, then has the other let go. False when it was told to stop before. */
  async finish(engine: Plane, stop: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#options;
    while (!engine.ready && !stop.aborted) await clock.sleep(READY_LOOK_MS);
    if (stop.aborted) {
      this.#before?.abandon();
      return false;
    }
    await this.#before?.finish();
    log.info('hot restart: this process has taken over');
    return true;
  }

  /** `leave` is called when the successor is ready: nothing may be accepted after it. */
  awaitSuccessor(engine: Plane, admin: Admin, leave: () => Promise<void>): Promise<Predecessor> {
    const { workers, log } = this.#options;
    const sockets = async (): Promise<readonly ListeningSocket[]> => {
      const fd = admin.descriptor;
      const door = fd === undefined ? [] : [{ worker: 0, key: this.#adminKey, fd }];
      return [...(await engine.listening()), ...door];
    };
    return awaitSuccessor({ path: this.#path, workers, log, sockets, leave });
  }
}
