import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import type { ObtainedSvid } from './identity-source.ts';

export interface SvidClientOptions {
  /** The API server: `https://127.0.0.1:6443`, or several of one cluster with commas between, asked in turn. */
  readonly server: string;
  /** CA certificates of the API server, in PEM. Read at each use, as the token is. */
  readonly caFile: string;
  /** Bearer token of the workload's service account. */
  readonly tokenFile: string;
  /** The authority's default unless told. */
  readonly ttlSeconds?: number;
}

const PATH = '/apis/tutti.dev/v1alpha1/svidrequests';

/** Largest answer taken: a chain and a bundle have a few kilobytes. */
const MAX_ANSWER_BYTES = 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Asks the API server for an SVID: an `obtain` for IdentitySource. One connection per request, with node:https: it is needed
 * twice a day, and undici costs a sidecar 17 MB and 70 ms.
 */
export function svidClient(options: SvidClientOptions): (csrPem: string, signal: AbortSignal) => Promise<ObtainedSvid> {
  const urls = options.server.split(',').map((server) => new URL(PATH, server.trim()));
  let present = 0;
  return async (csrPem, signal) => {
    const spec = { csr: csrPem, ...(options.ttlSeconds !== undefined && { ttlSeconds: options.ttlSeconds }) };
    const body = JSON.stringify({ apiVersion: 'tutti.dev/v1alpha1', kind: 'SvidRequest', metadata: {}, spec });
    const token = (await readOwn('token', options.tokenFile)).trim();
    const ca = await readOwn('CA certificates', options.caFile);
    for (let left = urls.length - 1; ; left--) {
      const url = urls[present] as URL;
      try {
        return readAnswer(url, await post({ url, token, ca, body, signal }));
      } catch (error) {
        // What one cannot answer another may; the next request begins with it.
        present = (present + 1) % urls.length;
        if (left === 0 || signal.aborted) throw error;
      }
    }
  };
}

async function readOwn(what: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`SVID request: cannot read the ${what} "${path}"`, { cause: error });
  }
}

interface Post {
  readonly url: URL;
  readonly token: string;
  readonly ca: string;
  readonly body: string;
  readonly signal: AbortSignal;
}

function post({ url, token, ca, body, signal }: Post): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(new Error(`SVID request: ${url.href}: ${(cause as Error).message}`, { cause }));
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      accept: 'application/json',
    };
    const sent = request(url, { method: 'POST', ca, headers, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > MAX_ANSWER_BYTES) response.destroy(new Error(`answer has more than ${MAX_ANSWER_BYTES} bytes`));
        else chunks.push(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      response.on('error', fail);
    });
    sent.on('error', fail);
    sent.end(body);
  });
}

/** The part of an answer that is read: an SvidRequest's status, or a Kubernetes Status' message. */
interface AnswerBody {
  readonly message?: unknown;
  readonly status?: { readonly certificateChain?: unknown; readonly trustBundle?: unknown };
}

function readAnswer(url: URL, { status, body }: Answer): ObtainedSvid {
  const parsed = parse(body);
  if (status < 200 || status > 299) {
    const why = typeof parsed?.message === 'string' ? parsed.message : body.slice(0, 200);
    throw new Error(`SVID request: ${url.href}: answered ${status}: ${why}`);
  }
  const { certificateChain, trustBundle } = parsed?.status ?? {};
  if (typeof certificateChain !== 'string' || typeof trustBundle !== 'string') {
    throw new Error(`SVID request: ${url.href}: answered ${status} without certificate chain and trust bundle`);
  }
  return { certificateChainPem: certificateChain, trustBundlePem: trustBundle };
}

function parse(body: string): AnswerBody | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
