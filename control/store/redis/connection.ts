import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { Redis } from 'ioredis';
import type { Clock } from '../../../kit/clock.ts';
import type { Logger } from '../../../kit/log.ts';
import type { RedisAddress } from './redis-address.ts';
import { SCRIPTS, type ScriptName } from './scripts.ts';

/** The command was sent and its answer did not come: whether the server has carried it out, nobody here knows. */
export class AnswerLostError extends Error {
  override readonly name = 'AnswerLostError';
}

/** The server carries nothing out at present (it starts, or is no primary any more), or there was no connection: nothing was done. */
export class NotServedError extends Error {
  override readonly name = 'NotServedError';
}

export interface ConnectionOptions {
  readonly address: RedisAddress;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told to the server, for `redis-cli client list`. */
  readonly name: string;
  /** How long an answer may take; then the connection is given up, and what was under way in it is lost. */
  readonly answerTimeoutMs: number;
  /** How long a call waits for a connection before it fails with NotServedError. */
  readonly patienceMs: number;
  /** Hears why a connection could not be made or was lost. */
  readonly onError: (error: Error) => void;
  /** Runs on each new connection before anything else; when it throws, the connection is given up. */
  readonly prepare: (connection: Pick<RedisConnection, 'script' | 'command'>) => Promise<void>;
}

const SHA = Object.fromEntries(
  Object.entries(SCRIPTS).map(([name, text]) => [name, createHash('sha1').update(text).digest('hex')]),
) as Record<ScriptName, string>;

const CONNECT_TIMEOUT_MS = 3000;
const LONGEST_PAUSE_MS = 500;

/** What a server answers that cannot serve just now. It has done nothing. */
const PASSING = /^(LOADING|READONLY|MASTERDOWN|BUSY|NOREPLICAS|TRYAGAIN|CLUSTERDOWN|UNKILLABLE) ?/;

/**
 * One connection to Redis, opened again when it is lost. Nothing waits in a queue of ioredis: a command is sent on a connection that
 * works, or fails, and is never sent twice.
 */
export class RedisConnection {
  readonly #options: ConnectionOptions;
  readonly #redis: Redis;
  #usable = false;
  #waiting = Promise.withResolvers<void>();
  #closed = false;
  #lastError: Error | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { target, tls, username, password, db } = options.address;
    const servername = 'host' in target && isIP(target.host) === 0 ? { servername: target.host } : {};
    this.#redis = new Redis({
      ...target,
      ...(tls ? { tls: servername } : {}),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      db,
      connectionName: options.name,
      disableClientInfo: true,
      enableOfflineQueue: false,
      enableAutoPipelining: true,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: options.answerTimeoutMs,
      retryStrategy: (times) => Math.min(LONGEST_PAUSE_MS, 25 * 2 ** Math.min(times, 8)),
    });
    this.#redis.on('error', (error: Error) => {
      this.#lastError = plain(error);
      options.onError(this.#lastError);
    });
    this.#redis.on('ready', () => void this.#prepare());
    this.#redis.on('close', () => {
      if (!this.#usable) return;
      this.#usable = false;
      this.#waiting = Promise.withResolvers();
      if (this.#closed) return;
      const why = this.#lastError?.message ?? 'the server closed it';
      options.log.warn(`store ${options.address.shown}: connection lost (${why}); connecting again`);
    });
  }

  /** Why the last try to connect failed. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** Runs a script of scripts.ts once there is a connection. Throws AnswerLostError, NotServedError, or the server's own refusal. */
  async run(name: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    if (!this.#usable) await this.#untilUsable();
    return await this.script(name, keys, args);
  }

  /** Any command, once there is a connection. */
  async call(command: string, ...args: readonly (string | number)[]): Promise<unknown> {
    if (!this.#usable) await this.#untilUsable();
    return await this.command(command, ...args);
  }

  async script(name: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.#redis.evalsha(SHA[name], keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw this.#meaning(error as Error);
    }
    // Started anew, or flushed: the server does not know the script, so it has not run.
    return await this.command('EVAL', SCRIPTS[name], keys.length, ...keys, ...args);
  }

  async command(name: string, ...args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.#redis.call(name, ...args);
    } catch (error) {
      throw this.#meaning(error as Error);
    }
  }

  /** Gives the connection up; another is opened. */
  giveUp(): void {
    if (!this.#closed) this.#redis.disconnect(true);
  }

  close(): void {
    this.#closed = true;
    this.#redis.disconnect();
    this.#waiting.resolve();
  }

  async #prepare(): Promise<void> {
    try {
      await this.#options.prepare(this);
      if (this.#redis.status !== 'ready') return;
      this.#usable = true;
      this.#waiting.resolve();
    } catch (error) {
      this.#lastError = error as Error;
      if (!this.#closed) this.#redis.disconnect(true);
    }
  }

  async #untilUsable(): Promise<void> {
    const { clock, patienceMs, address } = this.#options;
    const late = Promise.withResolvers<void>();
    const timer = clock.timer(patienceMs, () => late.resolve());
    await Promise.race([this.#waiting.promise, late.promise]);
    timer.stop();
    if (this.#usable) return;
    throw new NotServedError(`store "${address.shown}": no connection for ${patienceMs / 1000} s`, {
      cause: this.#lastError,
    });
  }

  #meaning(raw: Error): Error {
    const { shown } = this.#options.address;
    const error = plain(raw);
    if (error.name === 'ReplyError') {
      if (!PASSING.test(error.message)) return error;
      // A primary that has become a replica stays one on this connection; its address may lead to the new primary.
      this.giveUp();
      return new NotServedError(`store "${shown}": ${error.message}`, { cause: error });
    }
    if (/enableOfflineQueue/.test(error.message)) {
      return new NotServedError(`store "${shown}": no connection`, { cause: error });
    }
    return new AnswerLostError(`store "${shown}": the connection ended before the answer came`, { cause: error });
  }
}

/** ioredis hangs the command on its errors: its arguments, passwords and Secrets among them, must not reach a log. */
function plain({ name, message }: Error): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}
