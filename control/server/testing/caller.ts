import { Agent, request } from 'undici';
import type { IssuedCredentials } from '../../../certs/authority/authority.ts';

export interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Empty when the body is not JSON. */
  readonly json: Json;
}

/** Any JSON, looked into as if every field were there. */
export type Json = { readonly [field: string]: Json } & readonly Json[];

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Caller {
  call(path: string, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

/** Someone who calls the API over HTTPS, with a certificate or without. */
export function caller(server: string, caPem: string, credentials?: IssuedCredentials): Caller {
  const identity =
    credentials === undefined ? {} : { cert: credentials.certificateChainPem, key: credentials.privateKeyPem };
  const dispatcher = new Agent({ connect: { ca: caPem, ...identity } });
  return {
    call: async (path, { method = 'GET', body, headers = {} } = {}) => {
      const sent = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
      const answer = await request(server + path, {
        method,
        dispatcher,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(sent === undefined ? {} : { body: sent }),
      });
      const text = await answer.body.text();
      return { code: answer.statusCode, headers: answer.headers, text, json: parsed(text) };
    },
    close: () => dispatcher.close(),
  };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {} as Json;
  }
}
