import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Clock } from '../../../kit/clock.ts';
import type { Logger } from '../../../kit/log.ts';
import { authenticate } from '../authn/authenticate.ts';
import { impersonate } from '../authn/impersonate.ts';
import type { TokenAuthenticator } from '../authn/token-authenticator.ts';
import type { User } from '../authn/user.ts';
import { requireAllowed } from '../authz/authorize.ts';
import type { NodeCredentials } from '../nodes/node-credentials.ts';
import { refuseForeignSecret } from '../nodes/secret-reads.ts';
import type { StoredObjects } from '../verbs/stored-objects.ts';
import { negotiate } from './accept.ts';
import { sendError } from './answer.ts';
import { asApiError } from './api-failure.ts';
import { parseBody } from './body.ts';
import { answerClientError } from './client-error.ts';
import type { Dispatcher } from './dispatch.ts';
import type { ApiCall } from './endpoint.ts';
import { type PlainPathServing, servePlainPath } from './plain-paths.ts';
import { parseUrl, type RequestInfo, requestInfo } from './request-info.ts';
import type { RequestRate } from './request-rate.ts';
import { type ServingTls, tlsOptions } from './serving-tls.ts';
import { includeObject } from './table.ts';
import { serveUpgrades, type UpgradeHandler, wantsWebSocket } from './upgrade.ts';
import { Warnings } from './warnings.ts';

/** As kube-apiserver's for a request's body (MaxRequestBodyBytes): 3 MiB. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** A client that sends its request byte by byte holds a connection no longer than this. */
const RECEIVE_LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 2000,
  handshakeTimeout: 10_000,
};

export interface HttpServing {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tokens: TokenAuthenticator;
  readonly nodes: NodeCredentials;
  readonly objects: StoredObjects;
  readonly dispatcher: Dispatcher;
  readonly plain: PlainPathServing;
  readonly upgrades: UpgradeHandler;
  readonly rate: RequestRate;
  /** Other limits on how long a request may take to come in. */
  readonly receive?: Partial<typeof RECEIVE_LIMITS> | undefined;
}

export interface HttpApp {
  readonly app: FastifyInstance;
  readonly server: Server;
}

/** What is known of a request before its body is read. */
interface Arrival {
  readonly url: URL;
  readonly info: RequestInfo;
  readonly user: User;
  readonly warnings: Warnings;
}

/**
 * The way of every request: who is it, may they, and only then its body and its handler. Whatever goes wrong is answered
 * with a Status. Paths are matched by what was authorized, never by a router's own reading of them.
 */
export function httpApp(serving: HttpServing, tls: ServingTls): HttpApp {
  const { log } = serving;
  const arrivals = new WeakMap<FastifyRequest, Arrival>();
  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    sendError(reply, asApiError(error, log.child({ method: request.method, url: request.url })));
  };
  const app = fastify({
    serverFactory: (handler) =>
      createServer(
        { ...RECEIVE_LIMITS, ...tlsOptions(tls), ...serving.receive, shouldUpgradeCallback: wantsWebSocket },
        handler,
      ),
    bodyLimit: MAX_BODY_BYTES,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    frameworkErrors: fail,
    clientErrorHandler: answerClientError,
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addHook('onRequest', async (request) => {
    arrivals.set(request, await arrive(request.raw, serving));
  });
  app.addHook('onSend', async (request, reply) => {
    arrivals.get(request)?.warnings.sendWith(reply);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method, url } = request;
    const user = arrivals.get(request)?.user.name;
    log.debug({ method, url, user, code: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'request');
  });
  app.setErrorHandler(fail);
  app.all('/*', async (request, reply) => {
    await answer(serving, arrivals.get(request) as Arrival, { request, reply });
    return reply;
  });
  // fastify's type says node:http, whoever made it.
  const server = app.server as unknown as Server;
  serveUpgrades(server, { arrive: (request) => arrive(request, serving), handler: serving.upgrades, log });
  return { app, server };
}

async function arrive(request: IncomingMessage, serving: HttpServing): Promise<Arrival> {
  const url = parseUrl(request.url ?? '/');
  const info = requestInfo(request.method ?? 'GET', url);
  const socket = request.socket as TLSSocket;
  const { authorization } = request.headers;
  const caller = await authenticate({ socket, authorization }, serving);
  serving.rate.take(caller, socket.remoteAddress ?? '');
  const user = impersonate(caller, request.headers);
  requireAllowed(user, info);
  await refuseForeignSecret(user, info, { query: url.searchParams, objects: serving.objects });
  return { url, info, user, warnings: new Warnings() };
}

async function answer(
  { plain, dispatcher, clock }: HttpServing,
  { url, info, user, warnings }: Arrival,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): Promise<void> {
  const { accept, 'content-type': contentType } = request.headers;
  if (info.type === 'path') {
    await servePlainPath(plain, { path: info.path, method: info.verb, query: url.searchParams, accept, reply });
    return;
  }
  const query = url.searchParams;
  const call: ApiCall = {
    info,
    user,
    query,
    request,
    reply,
    warnings,
    body: () => (bodyOf(request).length === 0 ? undefined : parseBody(bodyOf(request), contentType)),
    form: () => ({ representation: negotiate(accept), includeObject: includeObject(query), nowMs: clock.now() }),
  };
  await dispatcher.call(call);
}

function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}
