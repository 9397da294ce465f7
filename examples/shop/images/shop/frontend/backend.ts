import type { IncomingHttpHeaders } from 'node:http';

/** Another service's answer, and who gave it. */
export type Answer<T> =
  | {
      readonly ok: true;
      readonly service: string;
      readonly status: number;
      readonly value: T;
      readonly version: string;
      readonly replica: string;
      readonly ms: number;
      readonly setCookie: string | undefined;
    }
  | { readonly ok: false; readonly service: string; readonly reason: string };

const TIMEOUT_MS = 2000;

/** What a request carries through the shop: the trace that it belongs to, and whose cart it is about. */
const PASSED_ON = ['traceparent', 'tracestate', 'baggage', 'x-request-id', 'cookie'] as const;

export interface Ask {
  readonly service: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly method?: 'GET' | 'POST';
  readonly json?: unknown;
}

/** Asks another service for JSON. Never throws: a page without one of its parts is better than none. */
export async function ask<T>({ service, url, headers, method = 'GET', json }: Ask): Promise<Answer<T>> {
  const startedAt = performance.now();
  try {
    const response = await fetch(url, {
      method,
      headers: { accept: 'application/json', ...passedOn(headers), ...(json === undefined ? {} : JSON_TYPE) },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    if (!response.ok) {
      await response.body?.cancel();
      return { ok: false, service, reason: `answered ${response.status}` };
    }
    const value = (await response.json()) as T & { readonly version?: string; readonly replica?: string };
    return {
      ok: true,
      service,
      status: response.status,
      value,
      version: value.version ?? '?',
      replica: value.replica ?? '?',
      ms: Math.round((performance.now() - startedAt) * 10) / 10,
      setCookie: response.headers.get('set-cookie') ?? undefined,
    };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return { ok: false, service, reason: cause };
  }
}

const JSON_TYPE = { 'content-type': 'application/json' };

function passedOn(headers: IncomingHttpHeaders): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = headers[name];
    if (typeof value === 'string') passed[name] = value;
  }
  return passed;
}
