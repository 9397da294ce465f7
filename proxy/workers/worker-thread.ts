import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Answer, News, Questions, WorkerSetup } from './messages.ts';

/** `worker-main` beside this file, as a source or as published. */
const SCRIPT = join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? 'worker-main.ts' : 'worker-main.js');

/** One thread from its start to its end. */
export class WorkerThread {
  /** Resolves when the thread has ended, with what ended it if that was no `stop`. */
  readonly ended: Promise<Error | undefined>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #asked = 0;
  #error: Error | undefined = undefined;
  #isStopped = false;

  constructor(setup: WorkerSetup, heard: (news: News) => void) {
    this.#worker = new Worker(SCRIPT, { workerData: setup, name: `worker ${setup.worker}` });
    this.#worker.on('message', (said: Answer | News) => {
      if ('ejected' in said) heard(said);
      else this.#take(said);
    });
    this.#worker.on('error', (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error));
    });
    this.ended = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        const why = this.#error ?? new Error(`worker ${setup.worker}: its thread ended with code ${code}`);
        for (const { reject } of this.#waiting.values()) reject(why);
        this.#waiting.clear();
        resolve(this.#isStopped ? undefined : why);
      });
    });
  }

  /** Rejects when the worker says no, or ends before it answers. */
  ask<Kind extends keyof Questions>(kind: Kind, asks: Questions[Kind]['asks']): Promise<Questions[Kind]['answers']> {
    const id = ++this.#asked;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#worker.postMessage({ id, kind, asks }, []);
    return waiting.promise as Promise<Questions[Kind]['answers']>;
  }

  /** Closes the engine and ends the thread; cuts it off when that takes too long. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.ask('close', undefined).catch(() => undefined);
    await this.#worker.terminate();
  }

  /** Ends the thread as a failure would: nothing is closed in order. */
  async kill(): Promise<void> {
    await this.#worker.terminate();
  }

  #take({ id, answer, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(answer);
    else waiting?.reject(new Error(error));
  }
}
