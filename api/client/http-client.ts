import { Agent, type buildConnector, type Dispatcher, request as send } from 'undici';
import type { Logger } from '../../kit/log.ts';
import { apiVersionOf, type Kind, type KubeObject } from '../kinds/kind.ts';
import { ApiError } from '../meta/api-error.ts';
import type {
  Client,
  DeleteOptions,
  Draft,
  List,
  ListOptions,
  ObjectRef,
  PatchOptions,
  PatchType,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './client.ts';
import { errorOfAnswer, errorOfConnection, isSilence, isStatus, wasCut } from './failures.ts';
import { FallbackConnector } from './fallback-connector.ts';
import { jsonLines } from './json-lines.ts';
import { collectionPath, listQuery, objectPath, withQuery, writeQuery } from './paths.ts';

export type Credentials =
  | { readonly kind: 'certificate'; readonly certificatePem: string; readonly keyPem: string }
  /** Asked for each request, so that a token can be renewed. */
  | { readonly kind: 'token'; readonly token: () => string | Promise<string> }
  | { readonly kind: 'anonymous' };

export interface HttpClientOptions {
  /** `https://127.0.0.1:6443` */
  readonly server: string;
  /** Other servers of the same cluster, tried in turn when the one in use does not answer. */
  readonly fallbacks?: readonly string[] | undefined;
  /** Whom to trust; the system's roots when missing. */
  readonly caPem?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
  readonly credentials: Credentials;
  readonly userAgent: string;
  readonly log?: Logger | undefined;
  /** Hears the text of each `Warning:` header of an answer. */
  readonly onWarning?: ((warning: string) => void) | undefined;
}

interface RequestOptions {
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

interface StreamOptions {
  readonly signal: AbortSignal;
  readonly accept?: string;
}

/** A {@link Client} over HTTPS, with the way to what is no object of a kind. */
export interface HttpClient extends Client {
  readonly server: string;
  /** The JSON of an answer, undefined when it is empty. Throws ApiError. */
  request(method: Dispatcher.HttpMethod, path: string, options?: RequestOptions): Promise<unknown>;
  /** An answer as it comes: logs. Ends quietly when the signal aborts. Throws ApiError. */
  stream(path: string, options: StreamOptions): AsyncIterable<Buffer>;
  /** New connections are made with these; what is under way ends on those that stand. */
  setTrust(trust: Pick<HttpClientOptions, 'caPem' | 'credentials'>): void;
  close(): Promise<void>;
}

export function httpClient(options: HttpClientOptions): HttpClient {
  return new UndiciClient(options);
}

/** How long an answer may take to begin, and may pause. */
const ANSWER_TIMEOUT_MS = 30_000;
/** Where another server may answer: less than a node may be silent. */
const FALLBACK_TIMEOUT_MS = 8000;
/** The server ends a watch after this time; a connection that died unseen is noticed a little later. */
const WATCH_SECONDS = 300;
const WATCH_SILENCE_MS = (WATCH_SECONDS + 30) * 1000;

const PATCH_TYPES: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

interface Exchange extends RequestOptions {
  readonly bodyTimeoutMs?: number;
}

class UndiciClient implements HttpClient {
  readonly server: string;
  #options: HttpClientOptions;
  readonly #connector: FallbackConnector;
  readonly #answerTimeoutMs: number;
  #agent: Agent;
  readonly #retired = new Set<Agent>();

  constructor(options: HttpClientOptions) {
    const { fallbacks = [] } = options;
    this.server = options.server.replace(/\/+$/, '');
    this.#options = options;
    this.#answerTimeoutMs = fallbacks.length === 0 ? ANSWER_TIMEOUT_MS : FALLBACK_TIMEOUT_MS;
    this.#connector = new FallbackConnector([this.server, ...fallbacks], tlsOf(options));
    this.#agent = this.#newAgent();
  }

  setTrust(trust: Pick<HttpClientOptions, 'caPem' | 'credentials'>): void {
    const retired = this.#agent;
    this.#options = { ...this.#options, ...trust };
    this.#connector.setTls(tlsOf(this.#options));
    this.#agent = this.#newAgent();
    this.#retired.add(retired);
    // Watches end within WATCH_SECONDS, and with the last of them this.
    retired
      .close()
      .catch(() => undefined)
      .finally(() => this.#retired.delete(retired));
  }

  async get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T> {
    return (await this.request('GET', objectPath(kind, ref))) as T;
  }

  async list<T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}): Promise<List<T>> {
    const path = withQuery(collectionPath(kind, options.namespace), listQuery(options));
    const { items, metadata } = (await this.request('GET', path)) as ListAnswer<T>;
    return {
      items: (items ?? []).map((item) => typed(kind, item)),
      resourceVersion: metadata.resourceVersion ?? '',
      ...(metadata.continue ? { continue: metadata.continue } : {}),
    };
  }

  async *watch<T extends KubeObject>(
    kind: Kind<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const path = withQuery(collectionPath(kind, options.namespace), {
      ...listQuery(options),
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: options.resourceVersion,
      timeoutSeconds: WATCH_SECONDS,
    });
    for await (const line of jsonLines(
      this.#chunks(path, { signal: options.signal, bodyTimeoutMs: WATCH_SILENCE_MS }),
    )) {
      yield watchEvent(kind, line as WatchLine<T>);
    }
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: Draft<T>, options: WriteOptions = {}): Promise<T> {
    const path = withQuery(collectionPath(kind, object.metadata.namespace), writeQuery(options));
    return (await this.request('POST', path, { body: typed(kind, object) })) as T;
  }

  update<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.#replace(kind, object, { options });
  }

  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.#replace(kind, object, { options, subresource: 'status' });
  }

  async patch<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, patch: unknown, options: PatchOptions): Promise<T> {
    const query = { ...writeQuery(options), force: options.force === true ? 'true' : undefined };
    const path = withQuery(objectPath(kind, ref, options.subresource), query);
    const headers = { 'content-type': PATCH_TYPES[options.type] };
    return (await this.request('PATCH', path, { body: patch, headers })) as T;
  }

  async delete<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    const { dryRun, ...rest } = options;
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', ...rest, ...(dryRun === true ? { dryRun: ['All'] } : {}) };
    await this.request('DELETE', objectPath(kind, ref), { body });
  }

  async request(method: Dispatcher.HttpMethod, path: string, options: RequestOptions = {}): Promise<unknown> {
    const { body } = await this.#send(method, path, options);
    const text = await this.#guarded(() => body.text());
    if (text === '') return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw ApiError.internal(`${method} ${path}: the answer is not JSON`, { cause: error });
    }
  }

  stream(path: string, { signal, accept = '*/*' }: StreamOptions): AsyncIterable<Buffer> {
    return this.#chunks(path, { signal, headers: { accept }, bodyTimeoutMs: 0 });
  }

  async close(): Promise<void> {
    await Promise.all([this.#agent, ...this.#retired].map((agent) => agent.destroy()));
  }

  async #replace<T extends KubeObject>(
    kind: Kind<T>,
    object: T,
    { options, subresource }: { options: WriteOptions; subresource?: string },
  ): Promise<T> {
    const { name, namespace } = object.metadata;
    const ref = namespace === undefined ? { name } : { name, namespace };
    const path = withQuery(objectPath(kind, ref, subresource), writeQuery(options));
    return (await this.request('PUT', path, { body: typed(kind, object) })) as T;
  }

  async *#chunks(path: string, exchange: Exchange & { signal: AbortSignal }): AsyncGenerator<Buffer, void, undefined> {
    const { signal } = exchange;
    try {
      const { body } = await this.#send('GET', path, exchange);
      for await (const chunk of body) yield chunk as Buffer;
    } catch (error) {
      if (!signal.aborted) throw errorOfConnection(error, this.server);
    }
  }

  async #send(method: Dispatcher.HttpMethod, path: string, exchange: Exchange): Promise<Dispatcher.ResponseData> {
    const { body, headers, signal, bodyTimeoutMs = this.#answerTimeoutMs } = exchange;
    const exchangeOnce = async (): Promise<Dispatcher.ResponseData> =>
      send(`${this.server}${path}`, {
        dispatcher: this.#agent,
        method,
        headersTimeout: this.#answerTimeoutMs,
        bodyTimeout: bodyTimeoutMs,
        headers: await this.#headers(headers, body !== undefined),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    const answer = await this.#guarded(() => (method === 'GET' ? onceMore(exchangeOnce) : exchangeOnce()));
    this.#options.log?.debug({ method, path, code: answer.statusCode }, 'API request');
    for (const warning of warningTexts(answer.headers['warning'])) this.#options.onWarning?.(warning);
    if (answer.statusCode < 400) return answer;
    throw errorOfAnswer(answer.statusCode, await this.#guarded(() => answer.body.text()));
  }

  async #headers(own: RequestOptions['headers'], hasBody: boolean): Promise<Record<string, string>> {
    const { credentials, userAgent } = this.#options;
    return {
      accept: 'application/json',
      'user-agent': userAgent,
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
      ...(credentials.kind === 'token' ? { authorization: `Bearer ${await credentials.token()}` } : {}),
      ...own,
    };
  }

  async #guarded<R>(exchange: () => Promise<R>): Promise<R> {
    try {
      return await exchange();
    } catch (error) {
      if (isSilence(error)) this.#leaveServer();
      throw errorOfConnection(error, this.server);
    }
  }

  /** A server that has stopped without closing its connections holds watches too: all of them go to the next one. */
  #leaveServer(): void {
    if (!this.#connector.next()) return;
    const silent = this.#agent;
    this.#agent = this.#newAgent();
    void silent.destroy();
  }

  #newAgent(): Agent {
    return new Agent({ allowH2: false, connect: this.#connector.connect });
  }
}

/** What only reads may be asked again (RFC 9110, 9.2.2), and is, when its connection was cut: by another connection, as Go's client does. */
async function onceMore<R>(exchange: () => Promise<R>): Promise<R> {
  try {
    return await exchange();
  } catch (error) {
    if (!wasCut(error)) throw error;
    return await exchange();
  }
}

function tlsOf({ credentials, caPem, insecureSkipTlsVerify }: HttpClientOptions): buildConnector.BuildOptions {
  return {
    rejectUnauthorized: insecureSkipTlsVerify !== true,
    ...(caPem === undefined ? {} : { ca: caPem }),
    ...(credentials.kind === 'certificate' ? { cert: credentials.certificatePem, key: credentials.keyPem } : {}),
  };
}

interface ListAnswer<T> {
  readonly items?: readonly T[] | null;
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
}

interface WatchLine<T> {
  readonly type: string;
  readonly object: T;
}

function watchEvent<T extends KubeObject>(kind: Kind<T>, { type, object }: WatchLine<T>): WatchEvent<T> {
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: typed(kind, object) };
    case 'BOOKMARK':
      return { type, resourceVersion: object.metadata.resourceVersion };
    default:
      throw isStatus(object)
        ? new ApiError(object)
        : ApiError.internal(`watch of ${kind.plural}: unknown event ${JSON.stringify(type)}`);
  }
}

/** With apiVersion and kind, which kube-apiserver leaves out of the items of a list, and drafts may. */
function typed<T extends KubeObject>(kind: Kind<T>, object: T | Draft<T>): T {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object } as unknown as T;
}

/** The texts of `299 - "text"` (RFC 7234 section 5.5), as Kubernetes sends them. */
function warningTexts(header: string | string[] | undefined): readonly string[] {
  const all = Array.isArray(header) ? header : header === undefined ? [] : [header];
  return all.flatMap((line) =>
    [...line.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1')),
  );
}
