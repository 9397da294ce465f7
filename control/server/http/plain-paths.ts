import type { FastifyReply } from 'fastify';
import { ApiError } from '../../../api/meta/api-error.ts';
import type { StoreService } from '../../store-service.ts';
import { AGGREGATED_TYPE, aggregatedDiscovery } from '../discovery/aggregated.ts';
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from '../discovery/legacy.ts';
import type { OpenApiDocuments } from '../openapi/documents.ts';
import { negotiate, wantsAggregatedDiscovery } from './accept.ts';
import { sendBody } from './answer.ts';
import { unknownPath } from './dispatch.ts';
import type { Endpoint } from './endpoint.ts';
import { serveStorePath } from './store-paths.ts';
import { GIT_VERSION, versionInfo } from './version.ts';

export interface PlainPathServing {
  readonly endpoints: readonly Endpoint[];
  readonly documents: OpenApiDocuments;
  /** Throws when the server could not do its work. */
  readonly checkReady: () => Promise<void>;
  /** Of the control plane, in the Prometheus text format. */
  readonly metrics: () => Promise<string>;
  /** `127.0.0.1:6443` */
  readonly address: () => string;
  /** For operators; the paths are unknown without it. */
  readonly store?: StoreService | undefined;
}

interface PlainRequest {
  readonly path: string;
  /** In lower case. */
  readonly method: string;
  readonly query: URLSearchParams;
  readonly accept: string | undefined;
  readonly reply: FastifyReply;
}

/** Paths that name no resource: health, version, discovery and documents. Throws ApiError 404 for others, 406. */
export async function servePlainPath(serving: PlainPathServing, request: PlainRequest): Promise<void> {
  const { path, method, query, accept, reply } = request;
  const [first = '', ...rest] = path.split('/').filter((segment) => segment !== '');
  switch (first) {
    case 'healthz':
    case 'livez':
    case 'readyz':
      await serving.checkReady();
      reply.type('text/plain').send('ok');
      return;
    case 'metrics':
      reply.type('text/plain; version=0.0.4; charset=utf-8').send(await serving.metrics());
      return;
    case 'version':
      sendBody(reply, versionInfo(), negotiate(accept));
      return;
    case 'api':
    case 'apis':
      sendDiscovery(serving, request, { root: first, rest });
      return;
    case 'openapi':
      sendOpenApi(serving, request, rest);
      return;
    case 'tutti':
      if (serving.store === undefined || rest[0] !== 'store') throw unknownPath();
      await serveStorePath(serving.store, { path: rest.slice(1).join('/'), method, query, reply });
      return;
    case '':
      sendBody(
        reply,
        { paths: ['/api', '/apis', '/healthz', '/livez', '/metrics', '/openapi/v3', '/readyz', '/version'] },
        negotiate(accept),
      );
      return;
    default:
      throw unknownPath();
  }
}

function sendDiscovery(
  { endpoints, address }: PlainPathServing,
  { accept, reply }: PlainRequest,
  { root, rest }: { readonly root: 'api' | 'apis'; readonly rest: readonly string[] },
): void {
  void reply.header('vary', 'Accept');
  if (rest.length === 0 && wantsAggregatedDiscovery(accept)) {
    const list = aggregatedDiscovery(endpoints, root === 'api' ? 'core' : 'groups');
    // As bytes: fastify would write a text's content type in words of its own.
    reply.header('content-type', AGGREGATED_TYPE).send(Buffer.from(JSON.stringify(list)));
    return;
  }
  const document = root === 'api' ? coreDocument(endpoints, rest, address()) : groupDocument(endpoints, rest);
  if (document === undefined) throw unknownPath();
  sendBody(reply, document, negotiate(accept));
}

function coreDocument(endpoints: readonly Endpoint[], rest: readonly string[], address: string): object | undefined {
  const [version] = rest;
  if (version === undefined) return apiVersions(endpoints, address);
  return rest.length === 1 ? apiResourceList(endpoints, { group: '', version }) : undefined;
}

function groupDocument(endpoints: readonly Endpoint[], rest: readonly string[]): object | undefined {
  const [group, version] = rest;
  if (group === undefined) return apiGroupList(endpoints);
  if (version === undefined) return apiGroup(endpoints, group);
  return rest.length === 2 ? apiResourceList(endpoints, { group, version }) : undefined;
}

function sendOpenApi({ documents }: PlainPathServing, { accept, reply }: PlainRequest, rest: readonly string[]): void {
  const [version, ...name] = rest;
  if (version === 'v3' && name.length === 0) {
    sendBody(reply, documents.index(), negotiate(accept));
    return;
  }
  const document = version === 'v3' ? documents.document(name.join('/')) : undefined;
  if (document !== undefined) {
    // Clients ask by hash: what they get under it never changes.
    void reply.header('etag', `"${document.hash}"`).header('cache-control', 'public, immutable');
    reply.type('application/json').send(document.text);
    return;
  }
  if (version !== 'v2' || name.length > 0) throw unknownPath();
  // The old document in its old form: kubectl reads the new one wherever it finds it.
  if (!acceptsJson(accept)) throw ApiError.notAcceptable('only application/json is served here; see /openapi/v3');
  sendBody(
    reply,
    { swagger: '2.0', info: { title: 'Tutti', version: GIT_VERSION }, paths: {}, definitions: {} },
    { encoding: 'json' },
  );
}

function acceptsJson(accept: string | undefined): boolean {
  return accept === undefined || /application\/json|\*\/\*|application\/\*/.test(accept);
}
