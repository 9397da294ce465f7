import { MESH_BYTES_PROTOCOL } from '../../api/meta/well-known.ts';
import { backoffMs } from '../../kit/backoff.ts';
import { Alarm } from '../../kit/timer-wheel.ts';
import type { ClusterState } from '../cluster/cluster-state.ts';
import type { EndpointState } from '../cluster/endpoint-state.ts';
import type { Upload } from '../cluster/upload-places.ts';
import type { Downstream } from '../filters/request-draft.ts';
import { Base64Reader } from '../grpc/base64.ts';
import { Call } from '../grpc/call.ts';
import type { WebCall } from '../grpc/web.ts';
import { WebClient } from '../grpc/web-client.ts';
import type { Framing } from '../http1/body-reader.ts';
import { MESH_REASON } from '../http1/field-kind.ts';
import { upgradeToken } from '../http1/head-fields.ts';
import { NO_EXTENDED_CONNECT, REFUSED_SWITCH, type Rejection } from '../http1/rejection.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { websocketAccept } from '../http1/websocket-key.ts';
import { answerLines, type Plan } from '../route/plan.ts';
import type { RetryPolicy } from '../route/route-table.ts';
import type { Runtime } from '../runtime.ts';
import { Tunnel } from '../socket/tunnel.ts';
import { account } from '../telemetry/account.ts';
import { parseReason, type Reason } from '../telemetry/reason.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import type { Carrier, CarrierUser } from './carrier.ts';
import type { Client } from './client.ts';
import { hopTo } from './hop.ts';
import { openStream } from './http2-pool.ts';
import { takeIdle } from './pool.ts';
import { Replay } from './replay.ts';
import { decideRetry, type TryFailure } from './retry.ts';
import { UpstreamConnection } from './upstream-connection.ts';

type ForwardPlan = Extract<Plan, { readonly kind: 'forward' }>;

type Phase =
  /** A connection is being made for the next try. */
  | 'connecting'
  /** The request is on its way; no final head yet. */
  | 'sending'
  /** Between two tries. */
  | 'waiting'
  /** The answer has begun to reach the client: no more tries. */
  | 'responding'
  | 'tunnel'
  | 'done';

const NO_BASE64 = 'the body is not base64';
const AUTHORITY_PARTS = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/;

/**
 * One request from its plan to its log line: makes tries until one answers, passes the bodies through, and keeps account.
 * It owns no socket; the connections on both sides tell it what happened.
 */
export class Exchange implements CarrierUser, Upload {
  readonly method: string;
  requestDone = false;
  bytesIn = 0;
  bytesOut = 0;
  readonly #runtime: Runtime;
  #client: Client;
  readonly #from: Downstream;
  readonly #logged: boolean;
  readonly #authority: string;
  readonly #target: string;
  /** -1: known once the body has ended. */
  #bodyBytes: number;
  #requestTrailers = '';
  /** The client may want a word of the upstream's before it goes on with its body. */
  readonly #cannotWait: boolean;
  /** Among the cluster's requests under way. */
  #isCounted = false;
  readonly startedAtMs: number;
  readonly #replay = new Replay();
  #phase: Phase = 'waiting';
  #cluster: ClusterState | undefined = undefined;
  #plan: ForwardPlan | undefined = undefined;
  /** Of CONNECT, which has no {@link ForwardPlan}. */
  #tunnelRetry: RetryPolicy | undefined = undefined;
  #upstream: Carrier | undefined = undefined;
  /** Of the try under way, or of the last one. */
  #endpoint: EndpointState | undefined = undefined;
  #trying = false;
  #tried: EndpointState[] | undefined = undefined;
  #tries = 0;
  #retries = 0;
  #backoff: Alarm | undefined = undefined;
  #tunnel: Tunnel | undefined = undefined;
  #trace: RequestTrace | undefined = undefined;
  #status = 0;
  #reason: Reason = '';
  readonly #call: Call | undefined;
  /** The body comes as text. */
  #base64: Base64Reader | undefined = undefined;
  /** Monotonic time by which a gRPC client wants its answer. */
  readonly #deadlineMs: number;

  constructor(runtime: Runtime, client: Client, from: Downstream, logged: boolean, head: RequestHead) {
    this.#runtime = runtime;
    this.#client = client;
    this.#from = from;
    this.#logged = logged;
    this.method = head.method;
    this.#authority = head.authority;
    this.#target = head.target;
    this.#bodyBytes = head.fields.chunked ? -1 : Math.max(0, head.fields.contentLength);
    this.startedAtMs = runtime.clock.monotonic();
    this.#call = Call.of(head);
    this.#cannotWait = this.#bodyBytes !== 0 && (this.#call !== undefined || head.expectsContinue);
    this.#deadlineMs = this.startedAtMs + (this.#call?.timeoutMs ?? Number.POSITIVE_INFINITY);
    this.#countActive(1, this.startedAtMs);
  }

  /** Bytes that went either way: what tells a live exchange from one that has come to a stop. */
  get progress(): number {
    return this.bytesIn + this.bytesOut + (this.#tunnel?.bytesIn ?? 0) + (this.#tunnel?.bytesOut ?? 0);
  }

  // What the client's connection asks for.

  /** Does what was planned. */
  begin(plan: Plan): void {
    switch (plan.kind) {
      case 'forward':
        this.#forward(plan);
        break;
      case 'answer':
        this.#trace = plan.trace;
        this.#answer(plan.status, plan.reason, plan.body, answerLines(plan));
        break;
      case 'inner-http':
        this.#answer(200, '', '');
        break;
      case 'tunnel':
        this.#connectTunnel(plan.cluster, plan.retry);
        break;
      default:
        plan satisfies never;
    }
  }

  #forward(plan: ForwardPlan): void {
    this.#plan = plan;
    this.#trace = plan.trace;
    this.#cluster = plan.cluster;
    if (plan.web !== undefined) this.#translate(plan.web);
    this.#boundTime(this.startedAtMs, 0);
    if (this.#bodyBytes === 0 || this.#takesUploadPlace(plan.cluster)) this.#ask(plan.cluster, this.startedAtMs);
  }

  #ask(cluster: ClusterState, nowMs: number): void {
    this.#isCounted = true;
    cluster.began();
    cluster.budget.requested();
    this.#try(nowMs);
  }

  /** CONNECT: a connection to the authority or to a cluster's endpoint, then bytes. */
  #connectTunnel(cluster: ClusterState, retry: RetryPolicy | undefined): void {
    this.#cluster = cluster;
    this.#tunnelRetry = retry;
    this.#ask(cluster, this.startedAtMs);
  }

  #answer(status: number, reason: Reason, body: string, fields = this.#plan?.ownLines ?? ''): void {
    const now = this.#runtime.clock.monotonic();
    const forHttp = { status, reason, body, fields };
    const reply = this.#call?.ownReply(forHttp) ?? forHttp;
    this.#status = reply.status;
    this.#reason = reason;
    this.#finish(now);
    this.#client.answer(reply, now);
  }

  upload(from: Buffer, start: number, end: number): void {
    this.bytesIn += end - start;
    if (this.#base64 === undefined) this.#uploadBytes(from, start, end);
    else {
      const bytes = this.#base64.read(from, start, end);
      if (bytes === undefined) this.giveUp(400, 'DPE', NO_BASE64);
      else if (bytes.length > 0) this.#uploadBytes(bytes, 0, bytes.length);
    }
  }

  #uploadBytes(from: Buffer, start: number, end: number): void {
    const upstream = this.#isSending() ? this.#upstream : undefined;
    if (this.#replay.isWhole) {
      const text = from.toString('latin1', start, end);
      this.#replay.append(text);
      upstream?.sendBody(from, start, end, text);
      this.#boundReplay();
    } else upstream?.sendBody(from, start, end, undefined);
  }

  /** `trailers`: lines with their CRLF, or ''; `now`: the time, where it is at hand. */
  uploadDone(trailers: string, now = this.#runtime.clock.monotonic()): void {
    if (this.#base64?.isWhole === false) {
      this.giveUp(400, 'DPE', NO_BASE64);
      return;
    }
    this.requestDone = true;
    this.#requestTrailers = trailers;
    if (this.#isSending()) this.#upstream?.sendEnd(trailers);
    if (this.#cluster !== undefined && this.#bodyBytes !== 0) this.#uploadWhole(this.#cluster, now);
    const action = this.#plan?.action;
    if (action === undefined || this.#phase === 'done') return;
    if (action.timeoutMs === 0 && action.perTryTimeoutMs === 0) return;
    if (action.timeoutMs > 0) this.#boundTime(now, action.timeoutMs);
    if (this.#phase === 'sending') this.#upstream?.awaitHead(now, action.perTryTimeoutMs);
  }

  // The cluster's places for bodies that are still coming.

  /** False: the upstream is asked later, or the request has been refused. */
  #takesUploadPlace(cluster: ClusterState): boolean {
    const patience = this.#cannotWait ? 'cannot-wait' : 'may-wait';
    const place = cluster.uploads.enter(this, cluster.config.maxRequests, patience);
    if (place === 'refused') this.#refuseUpload(cluster);
    return place === 'asked';
  }

  admitted(): void {
    if (this.#cluster !== undefined) this.#ask(this.#cluster, this.#runtime.clock.monotonic());
    this.flushUpload();
  }

  displaced(): void {
    if (this.#cluster === undefined) return;
    if (!this.#isCounted) this.#refuseUpload(this.#cluster);
    else
      this.giveUp(this.#call === undefined ? 408 : 503, 'DT', 'other requests could not wait for the rest of this one');
  }

  /** As much has come as is kept: the upstream is asked now, or never. */
  #pressUpload(cluster: ClusterState): void {
    if (cluster.uploads.press(this, cluster.config.maxRequests)) this.#ask(cluster, this.#runtime.clock.monotonic());
    else this.#refuseUpload(cluster);
  }

  /** From here on it is a request as others. */
  #uploadWhole(cluster: ClusterState, nowMs: number): void {
    cluster.uploads.leave(this);
    if (this.#isCounted || this.#phase === 'done') return;
    if (cluster.isFull) this.#answer(503, 'UO', `cluster "${cluster.config.name}": too many requests at once`);
    else this.#ask(cluster, nowMs);
  }

  #refuseUpload(cluster: ClusterState): void {
    this.#answer(
      503,
      'UO',
      `cluster "${cluster.config.name}": too many requests at once whose bodies are still to come`,
    );
  }

  flushUpload(): void {
    if (this.#isSending() && this.#upstream?.flush() === false) this.#client.pauseUpload();
  }

  /** The client's connection ended before the answer did. */
  clientGone(): void {
    if (this.#phase === 'done') return;
    if (this.#phase === 'tunnel') this.#tunnel?.clientClosed();
    else {
      this.#reason = 'DC';
      this.#trace?.broke('client-gone');
      this.#upstream?.close();
    }
    this.#finish(this.#runtime.clock.monotonic());
  }

  clientDrained(): void {
    if (this.#phase === 'tunnel') this.#tunnel?.clientDrained();
    else this.#upstream?.resume();
  }

  /** The client is broken, or nobody has moved for too long, or the route's time is over. */
  giveUp(status: number, reason: Reason, body: string): void {
    if (this.#phase === 'done') return;
    this.#upstream?.close();
    if (reason === 'UT' && this.#phase === 'sending') this.#endpointFailed(504, this.#runtime.clock.monotonic());
    this.#trace?.broke(reason === 'UT' ? 'timeout' : 'given-up');
    this.#tryEnded(reason === 'UT' ? 'error' : 'neither');
    this.#fail(status, reason, body);
  }

  // What the upstream's connection tells.

  connected(connection: Carrier): void {
    if (this.#plan === undefined) {
      this.#status = 200;
      this.#joinTunnel(connection, 'establish');
      return;
    }
    this.#send(connection);
    this.flushUpload();
  }

  carrierUnfit(): void {
    this.#upstream = undefined;
    this.#tryEnded('neither');
    this.#phase = 'waiting';
    this.#try(this.#runtime.clock.monotonic());
  }

  interim(head: ResponseHead): void {
    this.#client.interim(head);
  }

  acceptsSwitch(head: ResponseHead): boolean {
    const asked = this.#plan?.upgrade ?? '';
    if (asked === '' || upgradeToken(head.fields) !== asked) return false;
    if (this.#plan?.ownHandshake !== true) return true;
    return head.fields.find('sec-websocket-accept') === websocketAccept(this.#plan.websocketKey);
  }

  answered(head: ResponseHead, framing: Framing): 'forward' | 'discard' {
    const plan = this.#plan;
    const upstream = this.#upstream;
    if (plan === undefined || upstream === undefined) return 'discard';
    if (this.#isRefused(head, plan, upstream)) return 'discard';
    if (plan.ownHandshake && head.status >= 200 && head.status < 300) {
      this.brokenAnswer(REFUSED_SWITCH);
      return 'discard';
    }
    this.#status = head.status;
    this.#call?.answered(head);
    this.#phase = 'responding';
    this.#letReplayGo();
    this.#client.startResponse(head, framing, plan.responseEdits);
    if (head.status === 101) this.#joinTunnel(upstream, 'established');
    return 'forward';
  }

  download(from: Buffer, start: number, end: number): void {
    this.bytesOut += end - start;
    this.#client.body(from, start, end);
  }

  flushDownload(): void {
    if (this.#phase === 'responding' && !this.#client.flush()) this.#upstream?.pause();
  }

  responseComplete(trailers: string, now = this.#runtime.clock.monotonic()): void {
    this.#upstream = undefined;
    this.#call?.ended(trailers);
    const status = this.#call?.outcome(this.#status, this.#reason) ?? this.#status;
    // Of a call the head has told nothing yet.
    if (this.#call !== undefined && this.#status < 500 && this.#reason === '') this.#judge(status, now);
    if (this.#call !== undefined) this.#trace?.callEnded(this.#call.status(this.#status, this.#reason));
    this.#tryEnded(status >= 500 ? 'error' : 'success');
    this.#finish(now);
    this.#client.endResponse(now, trailers);
  }

  tryFailed(failure: TryFailure, message: string): void {
    const now = this.#runtime.clock.monotonic();
    const endpoint = this.#endpoint;
    this.#upstream = undefined;
    if (failure.kind === 'connect' && endpoint !== undefined) {
      this.#cluster?.connectFailed(endpoint, now);
      this.#runtime.log.debug(`connect to "${endpoint.key}": ${message}`);
    }
    // A server may tire of an idle connection: that says nothing of it.
    if (failure.kind !== 'reset' || !failure.reused)
      this.#endpointFailed(failure.kind === 'try-timeout' ? 504 : 503, now);
    this.#trace?.broke(failure.kind);
    this.#tryEnded('error');
    if (this.#retryAfter(failure, now)) return;
    if (failure.kind === 'try-timeout') this.#fail(504, 'UT', message);
    else this.#fail(503, failure.kind === 'connect' ? 'UF' : 'UC', message);
  }

  brokenAnswer(rejection: Rejection): void {
    this.#upstream = undefined;
    this.#trace?.broke('broken-answer');
    // An application that offers less is not ill.
    if (rejection !== NO_EXTENDED_CONNECT) this.#endpointFailed(502, this.#runtime.clock.monotonic());
    this.#tryEnded('error');
    this.#fail(502, 'UPE', rejection.cause);
  }

  truncated(message: string): void {
    this.#upstream = undefined;
    this.#trace?.broke('truncated');
    this.#endpointFailed(503, this.#runtime.clock.monotonic());
    this.#tryEnded('error');
    this.#fail(502, 'UC', message);
  }

  upstreamDrained(): void {
    this.#client.resumeUpload();
  }

  #translate(web: WebCall): void {
    this.#client = new WebClient(this.#client, web);
    if (!web.textRequest) return;
    this.#base64 = new Base64Reader();
    if (this.#bodyBytes > 0) this.#bodyBytes = -1;
  }

  // Tries.

  /** A gRPC client's own deadline counts from its head; a route's time begins when the request is whole. */
  #boundTime(nowMs: number, timeoutMs: number): void {
    const dueMs = Math.min(this.#deadlineMs, timeoutMs > 0 ? nowMs + timeoutMs : Number.POSITIVE_INFINITY);
    if (dueMs < Number.POSITIVE_INFINITY) this.#client.startRequestTimeout(nowMs, Math.max(1, dueMs - nowMs));
  }

  #try(nowMs: number): void {
    const cluster = this.#cluster;
    if (cluster === undefined) return;
    const endpoint = this.#chooseEndpoint(cluster, nowMs);
    if (endpoint === undefined) {
      this.#answer(503, 'UH', `cluster "${cluster.config.name}": no healthy endpoint`);
      return;
    }
    this.#tries++;
    this.#trying = true;
    this.#endpoint = endpoint;
    endpoint.active++;
    cluster.total++;
    this.#trace?.tryStarted(endpoint);
    const carrier = this.#carrierTo(cluster, endpoint);
    this.#upstream = carrier;
    if (carrier.isConnecting) this.#phase = 'connecting';
    else this.#send(carrier);
  }

  #carrierTo(cluster: ClusterState, endpoint: EndpointState): Carrier {
    const generation = cluster.config.tls === undefined ? 0 : this.#runtime.meshTls.generation;
    const again = this.#tries > 1;
    const plan = this.#plan;
    // A tunnel needs a connection of its own.
    const hop =
      plan === undefined ? 'http1' : hopTo(cluster.config, endpoint, this.#clientProtocol(), plan, this.#runtime.clock);
    if (hop !== 'http1') {
      const purpose = plan?.upgrade === '' ? 'request' : 'tunnel';
      return openStream(this.#runtime, { cluster, endpoint, generation, hop, purpose, again }, this);
    }
    // A repeated try, and a tunnel, want a connection that is sure to be alive.
    const idle = again || plan === undefined ? undefined : takeIdle(endpoint, generation);
    if (idle === undefined) {
      const speaks = plan === undefined ? MESH_BYTES_PROTOCOL : 'http/1.1';
      return new UpstreamConnection(this.#runtime, cluster, endpoint, this, speaks);
    }
    idle.use(this);
    return idle;
  }

  #clientProtocol(): 'http1' | 'http2' {
    return this.#from.carries ?? this.#client.protocol;
  }

  #chooseEndpoint(cluster: ClusterState, nowMs: number): EndpointState | undefined {
    if (cluster.config.kind === 'endpoints') return cluster.pick(this.#tried, nowMs, this.#runtime.random);
    const [, host, port] = AUTHORITY_PARTS.exec(this.#authority) ?? [];
    if (host === undefined) return undefined;
    return cluster.dialled(host.replace(/^\[|\]$/g, ''), port === undefined ? 80 : Number(port));
  }

  #send(carrier: Carrier): void {
    const plan = this.#plan;
    if (plan === undefined) return;
    this.#phase = 'sending';
    const text = this.#trace === undefined ? plan.head : this.#trace.headOfTry(plan.head);
    const { acceptsTrailers, websocketKey } = plan;
    carrier.sendHead({ text, bodyBytes: this.#bodyBytes, acceptsTrailers, websocketKey });
    carrier.sendText(this.#replay.text);
    if (this.requestDone) carrier.sendEnd(this.#requestTrailers);
    this.#boundReplay();
    if (!this.requestDone) this.#client.resumeUpload();
    else if (plan.action.perTryTimeoutMs > 0) {
      carrier.awaitHead(this.#runtime.clock.monotonic(), plan.action.perTryTimeoutMs);
    }
  }

  /** What is on its way may be let go when it is too much; what is not makes the client wait. */
  #boundReplay(): void {
    if (!this.#replay.isFull) return;
    if (this.#phase === 'sending') this.#letReplayGo();
    else if (this.#isCounted || this.#cluster === undefined) this.#client.pauseUpload();
    else this.#pressUpload(this.#cluster);
  }

  /** No other try: it can neither be repeated nor make way for others. */
  #letReplayGo(): void {
    this.#replay.letGo();
    if (this.#bodyBytes !== 0) this.#cluster?.uploads.settle(this);
  }

  /** Whether this answer is not the one to give: another try has been planned. */
  #isRefused(head: ResponseHead, plan: ForwardPlan, upstream: Carrier): boolean {
    this.#trace?.answered(head.status);
    // Only a mesh proxy's word counts, and only over a connection that proved to be one.
    const said = plan.cluster.config.tls === undefined ? undefined : head.fields.valueOf(MESH_REASON);
    const meshReason = parseReason(said);
    const retryable =
      head.status >= 500 || meshReason !== undefined || plan.action.retry?.statuses.includes(head.status);
    if (retryable !== true) {
      upstream.endpoint.answered();
      if (this.#call === undefined) upstream.endpoint.outlier.succeed();
      return false;
    }
    const now = this.#runtime.clock.monotonic();
    if (meshReason === 'UF') plan.cluster.connectFailed(upstream.endpoint, now);
    else upstream.endpoint.answered();
    // A call that the callee's proxy answers comes with 200.
    if (this.#call === undefined || head.status >= 500) this.#judge(head.status, now);
    else if (meshReason !== undefined) this.#endpointFailed(503, now);
    this.#reason = meshReason ?? '';
    return this.#retryAfter({ kind: 'answer', status: head.status, meshReason }, now);
  }

  /** Plans another try if the failure allows one. */
  #retryAfter(failure: TryFailure, nowMs: number): boolean {
    const cluster = this.#cluster;
    if (cluster === undefined || this.#phase === 'done') return false;
    const policy = this.#plan === undefined ? this.#tunnelRetry : this.#plan.action.retry;
    const decision = decideRetry({
      failure,
      method: this.method,
      replayable: this.#replay.isWhole,
      retriesDone: this.#retries,
      policy,
    });
    if (!decision.retry) {
      if (decision.spent && failure.kind === 'answer' && failure.meshReason === undefined) this.#reason = 'URX';
      return false;
    }
    if (!decision.own && !cluster.budget.take(nowMs)) return false;
    this.#tryEnded('error');
    this.#reason = '';
    cluster.retries++;
    this.#upstream = undefined;
    this.#phase = 'waiting';
    if (decision.own || policy === undefined) {
      this.#try(nowMs);
      return true;
    }
    if (this.#endpoint !== undefined) (this.#tried ??= []).push(this.#endpoint);
    const backoff = { baseMs: policy.backoffBaseMs, maxMs: policy.backoffMaxMs, jitter: 1 };
    this.#backoff ??= new Alarm(() => this.#tryAgain());
    this.#runtime.wheel.set(this.#backoff, nowMs, backoffMs(this.#retries, backoff, this.#runtime.random));
    this.#retries++;
    return true;
  }

  #judge(status: number, nowMs: number): void {
    if (status >= 500) this.#endpointFailed(status, nowMs);
    else this.#endpoint?.outlier.succeed();
  }

  #endpointFailed(status: number, nowMs: number): void {
    if (this.#endpoint !== undefined) this.#cluster?.failed(this.#endpoint, status, nowMs, this.#runtime.random);
  }

  /** An answer may begin before the request is whole; the rest is still sent. */
  #isSending(): boolean {
    return this.#phase === 'sending' || this.#phase === 'responding';
  }

  #tryAgain(): void {
    if (this.#phase === 'waiting') this.#try(this.#runtime.clock.monotonic());
  }

  #tryEnded(outcome: 'success' | 'error' | 'neither'): void {
    const cluster = this.#cluster;
    if (!this.#trying || this.#endpoint === undefined || cluster === undefined) return;
    this.#trying = false;
    this.#endpoint.active--;
    this.#trace?.tryEnded();
    if (outcome === 'success') cluster.success++;
    else if (outcome === 'error') cluster.error++;
  }

  // Ends.

  #fail(status: number, reason: Reason, body: string): void {
    this.#upstream = undefined;
    if (this.#phase !== 'responding' && this.#phase !== 'tunnel') {
      this.#answer(status, reason, body);
      return;
    }
    // The head is out: only a cut connection can tell the client that the rest will not come.
    this.#reason = reason;
    this.#finish(this.#runtime.clock.monotonic());
    this.#client.abort();
  }

  #joinTunnel(carrier: Carrier, establish: 'established' | 'establish'): void {
    const { tunnelEnd } = this.#client;
    // Neither side asks for a tunnel where there can be none.
    if (tunnelEnd === undefined || carrier.tunnelEnd === undefined) throw new Error('no tunnel begins here');
    this.#phase = 'tunnel';
    this.#client.stopRequestTimeout();
    const tunnel = new Tunnel(tunnelEnd, carrier.tunnelEnd);
    this.#tunnel = tunnel;
    carrier.joinTunnel(tunnel);
    this.#client.joinTunnel(tunnel, establish);
  }

  #finish(nowMs: number): void {
    if (this.#phase === 'done') return;
    this.#tryEnded(this.#phase === 'tunnel' ? 'success' : 'neither');
    this.#phase = 'done';
    if (this.#backoff !== undefined) this.#runtime.wheel.remove(this.#backoff);
    this.#client.stopRequestTimeout();
    if (this.#bodyBytes !== 0) this.#cluster?.uploads.leave(this);
    if (this.#isCounted) this.#cluster?.ended();
    this.#countActive(-1, nowMs);
    const outcome = {
      method: this.method,
      authority: this.#authority,
      target: this.#target,
      status: this.#status,
      reason: this.#reason,
      bytesIn: this.bytesIn + (this.#tunnel?.bytesIn ?? 0),
      bytesOut: this.bytesOut + (this.#tunnel?.bytesOut ?? 0),
      tries: this.#tries,
      service: this.#cluster?.config.service ?? '',
      cluster: this.#cluster?.config.name ?? '',
      upstream: this.#endpoint?.key ?? '',
      requestId: this.#plan?.requestId ?? '',
      grpcStatus: this.#call?.status(this.#status, this.#reason) ?? -1,
    };
    this.#trace?.finish({ ...outcome, protocol: this.#client.protocol });
    account(this.#runtime, this.#from, outcome, nowMs, nowMs - this.startedAtMs, this.#logged);
  }

  #countActive(by: 1 | -1, nowMs: number): void {
    if (this.#from.direction === 'outbound') return;
    this.#runtime.activeInbound += by;
    this.#runtime.inboundChangedAtMs = nowMs;
  }
}
