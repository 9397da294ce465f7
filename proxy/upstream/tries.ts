import { backoffMs } from '../../kit/backoff.ts';
import { Alarm } from '../../kit/timer-wheel.ts';
import type { ClusterState } from '../cluster/cluster-state.ts';
import type { EndpointState } from '../cluster/endpoint-state.ts';
import type { RetryPolicy } from '../route/route-table.ts';
import type { Runtime } from '../runtime.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import { type AnswerFailure, decideRetry, type TryFailure } from './retry.ts';

const AUTHORITY_PARTS = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/;

/** What a failed request is, as another try needs to know it. */
interface Repeatable {
  readonly method: string;
  /** What was sent so far is still at hand. */
  readonly replayable: boolean;
  /** Called when it is time, unless the tries are closed before. */
  readonly again: () => void;
}

/** The tries of one request at one cluster: which endpoints were asked, what came of each try, and what that says of its endpoint. */
export class Tries {
  readonly cluster: ClusterState;
  count = 0;
  /** Of the try under way, or of the last one. */
  endpoint: EndpointState | undefined = undefined;
  readonly #runtime: Runtime;
  readonly #policy: RetryPolicy | undefined;
  readonly #trace: RequestTrace | undefined;
  #isOpen = false;
  #isUnderWay = false;
  #tried: EndpointState[] | undefined = undefined;
  #retries = 0;
  #backoff: Alarm | undefined = undefined;

  constructor(
    runtime: Runtime,
    cluster: ClusterState,
    policy: RetryPolicy | undefined,
    trace: RequestTrace | undefined,
  ) {
    this.#runtime = runtime;
    this.cluster = cluster;
    this.#policy = policy;
    this.#trace = trace;
  }

  /** It is among the cluster's requests under way. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Before the first try: from here on the request counts for the cluster's limits. */
  open(): void {
    this.#isOpen = true;
    this.cluster.began();
    this.cluster.budget.requested();
  }

  /** Begins a try at the endpoint that it gives. Undefined when none is healthy. */
  begin(authority: string, nowMs: number): EndpointState | undefined {
    const endpoint = this.#choose(authority, nowMs);
    if (endpoint === undefined) return undefined;
    this.count++;
    this.#isUnderWay = true;
    this.endpoint = endpoint;
    endpoint.active++;
    this.cluster.total++;
    this.#trace?.tryStarted(endpoint);
    return endpoint;
  }

  /** Of the try under way, if one is. */
  ended(outcome: 'success' | 'error' | 'neither'): void {
    if (!this.#isUnderWay || this.endpoint === undefined) return;
    this.#isUnderWay = false;
    this.endpoint.active--;
    this.#trace?.tryEnded();
    if (outcome === 'success') this.cluster.success++;
    else if (outcome === 'error') this.cluster.error++;
  }

  /** An answer that is given on. The head of a call's tells nothing of how it goes. */
  answered(what: 'request' | 'call'): void {
    this.endpoint?.answered();
    if (what === 'request') this.endpoint?.outlier.succeed();
  }

  answerFailed({ status, meshReason }: AnswerFailure, what: 'request' | 'call', nowMs: number): void {
    if (meshReason === 'UF') this.connectFailed(nowMs);
    else this.endpoint?.answered();
    // A call that the callee's proxy answers comes with 200.
    if (what === 'request' || status >= 500) this.judge(status, nowMs);
    else if (meshReason !== undefined) this.endpointFailed(503, nowMs);
  }

  /** What its answer says of the endpoint. */
  judge(status: number, nowMs: number): void {
    if (status >= 500) this.endpointFailed(status, nowMs);
    else this.endpoint?.outlier.succeed();
  }

  /** `status` is what a client gets for it. */
  endpointFailed(status: number, nowMs: number): void {
    if (this.endpoint !== undefined) this.cluster.failed(this.endpoint, status, nowMs, this.#runtime.random);
  }

  /** Nothing was to be reached at the endpoint. */
  connectFailed(nowMs: number): void {
    if (this.endpoint !== undefined) this.cluster.connectFailed(this.endpoint, nowMs);
  }

  /**
   * Ends a failed try, if another may follow: at once, or when `again` is called. `spent`: one would have followed, but every retry has been
   * used.
   */
  repeat(
    failure: TryFailure,
    { method, replayable, again }: Repeatable,
    nowMs: number,
  ): 'at once' | 'later' | 'no' | 'spent' {
    const policy = this.#policy;
    const decision = decideRetry({ failure, method, replayable, retriesDone: this.#retries, policy });
    if (!decision.retry) return decision.spent ? 'spent' : 'no';
    if (!decision.own && !this.cluster.budget.take(nowMs)) return 'no';
    this.ended('error');
    this.cluster.retries++;
    if (decision.own || policy === undefined) return 'at once';
    if (this.endpoint !== undefined) (this.#tried ??= []).push(this.endpoint);
    const backoff = { baseMs: policy.backoffBaseMs, maxMs: policy.backoffMaxMs, jitter: 1 };
    this.#backoff ??= new Alarm(again);
    this.#runtime.wheel.set(this.#backoff, nowMs, backoffMs(this.#retries, backoff, this.#runtime.random));
    this.#retries++;
    return 'later';
  }

  /** The request is over. */
  close(): void {
    if (this.#backoff !== undefined) this.#runtime.wheel.remove(this.#backoff);
    if (this.#isOpen) this.cluster.ended();
  }

  #choose(authority: string, nowMs: number): EndpointState | undefined {
    const { cluster } = this;
    if (cluster.config.kind === 'endpoints') return cluster.pick(this.#tried, nowMs, this.#runtime.random);
    const [, host, port] = AUTHORITY_PARTS.exec(authority) ?? [];
    if (host === undefined) return undefined;
    return cluster.dialled(host.replace(/^\[|\]$/g, ''), port === undefined ? 80 : Number(port));
  }
}
