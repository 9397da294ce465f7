import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request as send } from 'node:https';
import type { PeerCertificate } from 'node:tls';
import type { Node } from '../../../api/kinds/node.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { StatusReason } from '../../../api/meta/status.ts';

/** What the control plane shows an agent, and whom it believes. Asked for each request, so that it can be rotated. */
export interface AgentCredentials {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly caPem: string;
}

export interface AgentAccess {
  readonly credentials: () => AgentCredentials;
  readonly trustDomain: string;
}

/** Longer silence before the first byte of an answer is a failure. */
export const ANSWER_TIMEOUT_MS = 10_000;

const REASONS: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest',
  404: 'NotFound',
  409: 'Conflict',
  504: 'Timeout',
  429: 'TooManyRequests',
};

/** Most bytes of an agent's error that are passed on. */
const MAX_ERROR_BYTES = 4096;

/**
 * Sends a GET, or a POST without a body, to the agent of a node and gives its answer as it comes. The agent must prove to be that node's.
 * Throws ApiError: the agent's own code where it answers one, 503 where it does not answer.
 */
export async function askAgent(
  node: Node,
  path: string,
  access: AgentAccess & { readonly signal: AbortSignal; readonly method?: 'POST'; readonly timeoutMs?: number },
): Promise<IncomingMessage> {
  const { signal, method = 'GET', timeoutMs = ANSWER_TIMEOUT_MS } = access;
  const { name } = node.metadata;
  const timeout = AbortSignal.timeout(timeoutMs);
  const request = send({ ...connectionTo(node, access), path, method });
  const giveUp = (): void => void request.destroy(new Error(`no answer within ${timeoutMs} ms`));
  const stop = (): void => void request.destroy(new Error('no longer wanted'));
  timeout.addEventListener('abort', giveUp, { once: true });
  signal.addEventListener('abort', stop, { once: true });
  request.once('close', () => signal.removeEventListener('abort', stop));
  // After the answer has begun, its reader hears of a failure; here it would only end the process.
  request.on('error', () => undefined);
  request.end();
  if (signal.aborted) stop();
  try {
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    if (answer.statusCode !== 200) throw await refused(answer);
    return answer;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw ApiError.unavailable(`agent of node "${name}": ${why}`, { cause: error });
  } finally {
    timeout.removeEventListener('abort', giveUp);
  }
}

/** A connection of its own to the agent of a node, who must prove to be that. Throws ApiError 503 while its address is unknown. */
export function connectionTo(node: Node, { credentials, trustDomain }: AgentAccess): RequestOptions {
  const { certificatePem, privateKeyPem, caPem } = credentials();
  return {
    ...addressOf(node),
    agent: false,
    cert: certificatePem,
    key: privateKeyPem,
    ca: caPem,
    checkServerIdentity: (_host, certificate) => identityError(certificate, node.metadata.name, trustDomain),
  };
}

/** Where the agent answers (docs/architecture.md, "Addresses"). Throws ApiError 503 as long as it has not said. */
function addressOf({ metadata: { name }, status }: Node): { readonly host: string; readonly port: number } {
  const port = status.daemonEndpoints?.kubeletEndpoint?.Port;
  const host = status.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  if (host === undefined || port === undefined || port === 0) {
    throw ApiError.unavailable(`agent of node "${name}": has not published its address and port`);
  }
  return { host, port };
}

/** The address may be anybody's: the certificate must be the node's own, by SPIFFE id or by user name. */
function identityError(certificate: PeerCertificate, node: string, trustDomain: string): Error | undefined {
  const names = (certificate.subjectaltname ?? '').split(', ');
  const { CN } = certificate.subject as { readonly CN?: string };
  if (names.includes(`URI:spiffe://${trustDomain}/tutti/agent/${node}`) || CN === `system:node:${node}`)
    return undefined;
  return new Error(`its certificate is not of the agent of "${node}"`);
}

/** An agent's answer that is no success, as an error of the API. */
export async function refused(answer: IncomingMessage): Promise<ApiError> {
  let text = '';
  for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MAX_ERROR_BYTES) break;
  }
  const code = answer.statusCode ?? 502;
  const message = text.slice(0, MAX_ERROR_BYTES).trim() || `the agent answered ${code}`;
  const reason = REASONS[code] ?? 'InternalError';
  return new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code });
}
