/**
 * What a proxy is told at its start, as a JSON file (`tutti proxy --bootstrap FILE`). The agent writes the same shape
 * and does not import this file: agent/sidecar/ has its own writer, and a test in test/ holds the two together.
 */
export interface Bootstrap {
  readonly mode: 'sidecar' | 'ingress';
  /** `sidecar/<namespace>/<pod>` or `ingress/<namespace>/<name>`. */
  readonly nodeId: string;
  readonly namespace: string;
  /** The pod, or the ingress proxy's name. */
  readonly name: string;
  readonly serviceAccount: string;
  readonly trustDomain: string;
  /** The pod's own address; outbound listeners bind on it. Empty for an ingress. */
  readonly podAddress: string;
  /** `unix:///path`: the SVID comes from the SPIFFE Workload API there. Either this or `api` is given. */
  readonly workloadApi?: string;
  /** The SVID is asked for at the API server. */
  readonly api?: {
    /** `https://127.0.0.1:6443`, or several of one cluster with commas between. */
    readonly server: string;
    readonly caFile: string;
    /** Service-account token; read anew at each use, because the agent renews it. */
    readonly tokenFile: string;
  };
  /** `127.0.0.1:6444` */
  readonly xdsAddress: string;
  /** `sotw` unless told: every control plane speaks it. */
  readonly xdsVariant: 'sotw' | 'delta';
  readonly admin: { readonly address: string; readonly port: number };
  /** Last good configuration and such; made when missing. */
  readonly stateFolder: string;
  readonly svidTtlSeconds?: number;
  /** Where spans are sent; without it none are made. */
  readonly tracing?: {
    /** The collector's whole URL for OTLP/HTTP: `http://127.0.0.1:4318/v1/traces`. */
    readonly endpoint: string;
    /** Of the requests that bring no decision with them; 0 to 1. */
    readonly samplingRatio: number;
    /** What the workload is called in traces. */
    readonly serviceName: string;
  };
  /** What `--concurrency` says when it is not given; 1 when missing. */
  readonly workers?: number;
  readonly logLevel: LogLevel;
}

type LogLevel = (typeof LOG_LEVELS)[number];

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
const VARIANTS = ['sotw', 'delta'] as const;
const MODES = ['sidecar', 'ingress'] as const;

/**
 * Reads the file's text; throws with the path of the field that is wrong, and refuses fields that it does not know. By
 * hand, because a schema library costs each sidecar 8 MB and 50 ms for this one file.
 */
export function parseBootstrap(text: string): Bootstrap {
  const root = new Fields('', JSON.parse(text));
  const api = root.optional('api', (field) => root.fields(field));
  const workloadApi = root.optional('workloadApi', (field) => root.text(field));
  if ((api === undefined) === (workloadApi === undefined)) {
    throw new Error('bootstrap fields "api" and "workloadApi": one of them is wanted');
  }
  const admin = root.fields('admin');
  const svidTtlSeconds = root.optional('svidTtlSeconds', (field) => root.whole(field));
  const tracing = root.optional('tracing', (field) => root.fields(field));
  const workers = root.optional('workers', (field) => root.whole(field));
  const logLevel = root.optional('logLevel', (field) => root.word(field, LOG_LEVELS));
  const bootstrap: Bootstrap = {
    mode: root.word('mode', MODES),
    nodeId: root.text('nodeId'),
    namespace: root.text('namespace'),
    name: root.text('name'),
    serviceAccount: root.text('serviceAccount'),
    trustDomain: root.text('trustDomain'),
    podAddress: root.anyText('podAddress'),
    ...(workloadApi === undefined ? {} : { workloadApi }),
    ...(api === undefined
      ? {}
      : { api: { server: api.url('server'), caFile: api.text('caFile'), tokenFile: api.text('tokenFile') } }),
    xdsAddress: root.text('xdsAddress'),
    xdsVariant: root.optional('xdsVariant', (field) => root.word(field, VARIANTS)) ?? 'sotw',
    admin: { address: admin.text('address'), port: admin.whole('port') },
    stateFolder: root.text('stateFolder'),
    ...(svidTtlSeconds === undefined ? {} : { svidTtlSeconds }),
    ...(tracing === undefined
      ? {}
      : {
          tracing: {
            endpoint: tracing.url('endpoint'),
            samplingRatio: tracing.ratio('samplingRatio'),
            serviceName: tracing.text('serviceName'),
          },
        }),
    ...(workers === undefined ? {} : { workers }),
    logLevel: logLevel ?? 'info',
  };
  for (const fields of [root, api, admin, tracing]) fields?.refuseOthers();
  return bootstrap;
}

/** The fields of one JSON object, each asked for by name and kind. */
class Fields {
  readonly #path: string;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #asked = new Set<string>();

  constructor(path: string, value: unknown) {
    this.#path = path;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new Error(`bootstrap field "${path}": is ${JSON.stringify(value)}, wanted an object`);
    }
    this.#values = value as Readonly<Record<string, unknown>>;
  }

  fields(name: string): Fields {
    return new Fields(this.#pathOf(name), this.#take(name));
  }

  anyText(name: string): string {
    const value = this.#take(name);
    return typeof value === 'string' ? value : this.#refuse(name, value, 'text');
  }

  text(name: string): string {
    const value = this.anyText(name);
    return value === '' ? this.#refuse(name, value, 'text that is not empty') : value;
  }

  url(name: string): string {
    const value = this.text(name);
    const each = value.split(',');
    // As a base: "localhost:6443" is a URL too, of the scheme "localhost", which no path can be added to.
    return each.every((url) => URL.canParse('/', url.trim())) ? value : this.#refuse(name, value, 'a URL');
  }

  whole(name: string): number {
    const value = this.#take(name);
    const good = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
    return good ? value : this.#refuse(name, value, 'a whole number');
  }

  ratio(name: string): number {
    const value = this.#take(name);
    const good = typeof value === 'number' && value >= 0 && value <= 1;
    return good ? value : this.#refuse(name, value, 'a number from 0 to 1');
  }

  word<Word extends string>(name: string, words: readonly Word[]): Word {
    const value = this.#take(name);
    return words.find((word) => word === value) ?? this.#refuse(name, value, words.join(' or '));
  }

  optional<T>(name: string, read: (name: string) => T): T | undefined {
    return Object.hasOwn(this.#values, name) ? read(name) : undefined;
  }

  refuseOthers(): void {
    const other = Object.keys(this.#values).find((name) => !this.#asked.has(name));
    if (other !== undefined) throw new Error(`bootstrap field "${this.#pathOf(other)}": is not known`);
  }

  #take(name: string): unknown {
    this.#asked.add(name);
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }

  #refuse(name: string, value: unknown, wanted: string): never {
    throw new Error(
      `bootstrap field "${this.#pathOf(name)}": is ${JSON.stringify(value) ?? 'missing'}, wanted ${wanted}`,
    );
  }

  #pathOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }
}
