import type { LogOptions } from '../runtime/runtime.ts';

/** What a request for a container's log asks for. */
export interface LogRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** The run before the present one. */
  readonly previous: boolean;
  readonly options: Omit<LogOptions, 'signal'>;
}

export type LogRequestResult =
  | { readonly ok: true; readonly request: LogRequest }
  | { readonly ok: false; readonly message: string };

const PATH = /^\/containerLogs\/([^/]+)\/([^/]+)\/([^/]+)$/;

/**
 * Reads `/containerLogs/NAMESPACE/POD/CONTAINER?follow&previous&timestamps&tailLines&sinceSeconds&sinceTime&limitBytes` (the
 * kubelet's, pkg/kubelet/server/server.go getContainerLogs). Undefined for another path.
 */
export function readLogRequest(url: URL, nowMs: number): LogRequestResult | undefined {
  const match = PATH.exec(url.pathname);
  if (match === null) return undefined;
  const [namespace = '', pod = '', container = ''] = match.slice(1).map(decodeURIComponent);
  const query = url.searchParams;
  const numbers: Record<string, number> = {};
  for (const name of ['tailLines', 'sinceSeconds', 'limitBytes']) {
    const text = query.get(name);
    if (text === null) continue;
    if (!/^\d{1,15}$/.test(text)) return { ok: false, message: `${name} ${JSON.stringify(text)}: not a whole number` };
    numbers[name] = Number(text);
  }
  const sinceTime = query.get('sinceTime');
  const sinceTimeMs = sinceTime === null ? undefined : Date.parse(sinceTime);
  if (Number.isNaN(sinceTimeMs)) return { ok: false, message: `sinceTime ${JSON.stringify(sinceTime)}: not a time` };
  const { tailLines, sinceSeconds, limitBytes } = numbers;
  const sinceMs = sinceSeconds === undefined ? sinceTimeMs : nowMs - sinceSeconds * 1000;
  return {
    ok: true,
    request: {
      namespace,
      pod,
      container,
      previous: isOn(query.get('previous')),
      options: {
        ...(isOn(query.get('follow')) ? { follow: true } : {}),
        ...(isOn(query.get('timestamps')) ? { timestamps: true } : {}),
        ...(tailLines === undefined ? {} : { tailLines }),
        ...(sinceMs === undefined ? {} : { sinceMs }),
        ...(limitBytes === undefined ? {} : { limitBytes }),
      },
    },
  };
}

function isOn(value: string | null): boolean {
  return value !== null && value !== 'false' && value !== '0';
}
