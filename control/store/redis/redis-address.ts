import { RedisRefusedError } from './refusal.ts';

/** Where a Redis is and how to enter it, from a URL. */
export interface RedisAddress {
  /** For people: without user and password. */
  readonly shown: string;
  readonly target: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
}

const DEFAULT_PORT = 6379;
const FORMS = 'redis://[user:password@]host[:port][/db], rediss://… for TLS, or unix:///path/to/redis.sock[?db=N]';

/**
 * Reads `redis://`, `rediss://` (IANA's provisional schemes), `unix://` and `redis+unix://` URLs. Throws RedisRefusedError; no message
 * repeats what stands before the `@`.
 */
export function parseRedisAddress(text: string): RedisAddress {
  const shown = text.replace(/\/\/[^/]*@/, '//');
  const refuse = (why: string): RedisRefusedError => new RedisRefusedError(shown, 'address', `${why}; wanted ${FORMS}`);
  let url: URL;
  try {
    // A URL has no user without a host; a socket has no host.
    url = new URL(text.replace(/^((?:redis\+)?unix):\/\/([^/@]*)@\//, '$1://$2@localhost/'));
  } catch {
    throw refuse('is not a URL');
  }
  const credentials = {
    ...(url.username === '' ? {} : { username: decoded(url.username, refuse) }),
    ...(url.password === '' ? {} : { password: decoded(url.password, refuse) }),
  };
  switch (url.protocol) {
    case 'redis:':
    case 'rediss:': {
      if (url.hostname === '') throw refuse('names no host');
      const host = url.hostname.replace(/^\[|\]$/g, '');
      const db = databaseOf(url.pathname.slice(1), refuse);
      const target = { host, port: url.port === '' ? DEFAULT_PORT : Number(url.port) };
      return { shown, target, tls: url.protocol === 'rediss:', ...credentials, db };
    }
    case 'unix:':
    case 'redis+unix:': {
      if (url.pathname.length < 2) throw refuse('names no socket');
      const db = databaseOf(url.searchParams.get('db') ?? '', refuse);
      return { shown, target: { path: decoded(url.pathname, refuse) }, tls: false, ...credentials, db };
    }
    default:
      throw refuse(`"${url.protocol}//" is not known here`);
  }
}

function databaseOf(text: string, refuse: (why: string) => Error): number {
  if (!/^\d{0,3}$/.test(text)) throw refuse(`database "${text}" is not a number`);
  return Number(text);
}

function decoded(text: string, refuse: (why: string) => Error): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse('has a "%" that encodes nothing (write it as %25)');
  }
}
