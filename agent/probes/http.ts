import { type IncomingMessage, request as plain } from 'node:http';
import { request as secure } from 'node:https';
import type { HttpGetAction } from '../../api/kinds/handler.ts';
import { joinHostPort, probeAddress } from './address.ts';
import type { ProbeResult, ProbeTarget } from './handlers.ts';
import { withTimeLimit } from './time-limit.ts';

// maxRespBodyLength and net/http's own limit of redirects (pkg/probe/http/http.go).
const MAX_BODY_BYTES = 10 * 1024;
const MAX_REDIRECTS = 10;

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly location: string | undefined;
}

/**
 * A status of 200 to 399 is success (pkg/probe/http/http.go). Certificates are not verified. A redirect to the same host
 * is followed; one to another host is success, as the kubelet has it.
 */
export async function probeHttp(action: HttpGetAction, target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  const scheme = action.scheme === 'HTTPS' ? 'https' : 'http';
  const path = action.path.startsWith('/') ? action.path : `/${action.path}`;
  const first = new URL(`${scheme}://${joinHostPort(probeAddress(action, target))}${path}`);
  try {
    return await withTimeLimit(target.clock, timeoutMs, (signal) => follow(first, headersOf(action), signal));
  } catch (error) {
    return { outcome: 'failure', message: `Get "${first.href}": ${(error as Error).message}` };
  }
}

async function follow(
  first: URL,
  headers: Readonly<Record<string, string | string[]>>,
  signal: AbortSignal,
): Promise<ProbeResult> {
  let url = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const { status, body, location } = await get(url, headers, signal);
    if (status < 200 || status >= 400)
      return { outcome: 'failure', message: `HTTP probe failed with statuscode: ${status}` };
    if (location === undefined) return { outcome: 'success', message: body };
    const next = new URL(location, url);
    if (next.hostname !== first.hostname) {
      return { outcome: 'success', message: `Probe terminated redirects, Response body: ${body}` };
    }
    url = next;
  }
  return { outcome: 'failure', message: `Get "${first.href}": stopped after ${MAX_REDIRECTS} redirects` };
}

function get(url: URL, headers: Readonly<Record<string, string | string[]>>, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { agent: false as const, headers: { ...headers }, signal };
    const answered = (response: IncomingMessage): void => {
      readBody(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, body, location: locationOf(response) }),
        reject,
      );
    };
    const sent =
      url.protocol === 'https:'
        ? secure(url, { ...options, rejectUnauthorized: false }, answered)
        : plain(url, options, answered);
    sent.on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error));
    sent.end();
  });
}

/** What is beyond the limit is not read: the connection ends with the probe. */
async function readBody(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    size += piece.length;
    if (size >= MAX_BODY_BYTES) break;
  }
  response.destroy();
  return Buffer.concat(pieces).subarray(0, MAX_BODY_BYTES).toString('utf8');
}

/** 304 and its like redirect nowhere. */
function locationOf({ statusCode = 0, headers }: IncomingMessage): string | undefined {
  return [301, 302, 303, 307, 308].includes(statusCode) ? headers.location : undefined;
}

/** The kubelet's own headers, which those of the probe may replace; an empty Accept or User-Agent takes it away. */
function headersOf({ httpHeaders }: HttpGetAction): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {
    'user-agent': 'kube-probe/tutti',
    accept: '*/*',
    connection: 'close',
  };
  const own: Record<string, string[]> = {};
  for (const { name, value } of httpHeaders ?? []) (own[name.toLowerCase()] ??= []).push(value);
  for (const [name, values] of Object.entries(own)) {
    const [only = ''] = values;
    if (only === '' && (name === 'accept' || name === 'user-agent')) delete headers[name];
    else headers[name] = values.length === 1 ? only : values;
  }
  return headers;
}
