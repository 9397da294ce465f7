import type { ClusterState } from '../cluster/cluster-state.ts';
import type { Downstream } from '../filters/request-draft.ts';
import { Call } from '../grpc/call.ts';
import type { WebCall } from '../grpc/web.ts';
import { WebClient } from '../grpc/web-client.ts';
import type { Framing } from '../http1/body-reader.ts';
import { upgradeToken } from '../http1/head-fields.ts';
import { NO_EXTENDED_CONNECT, REFUSED_SWITCH, type Rejection } from '../http1/rejection.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { websocketAccept } from '../http1/websocket-key.ts';
import { answerLines, type ForwardPlan, type Plan } from '../route/plan.ts';
import type { RetryPolicy } from '../route/route-table.ts';
import type { Runtime } from '../runtime.ts';
import { Tunnel } from '../socket/tunnel.ts';
import { account } from '../telemetry/account.ts';
import type { Reason } from '../telemetry/reason.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import type { Carrier, CarrierUser } from './carrier.ts';
import { carrierTo } from './carrier-to.ts';
import type { Client } from './client.ts';
import { RequestBody } from './request-body.ts';
import type { TryFailure } from './retry.ts';
import { Tries } from './tries.ts';
import { UploadPlace, type UploadUser } from './upload-place.ts';
import { failureIn } from './verdict.ts';

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

/**
 * One request from its plan to its log line: makes tries until one answers, passes the bodies through, and keeps account.
 * It owns no socket; the connections on both sides tell it what happened.
 */
export class Exchange implements CarrierUser, UploadUser {
  readonly method: string;
  bytesIn = 0;
  bytesOut = 0;
  readonly #runtime: Runtime;
  #client: Client;
  readonly #from: Downstream;
  readonly #logged: boolean;
  readonly #authority: string;
  readonly #target: string;
  /** The client may want a word of the upstream's before it goes on with its body. */
  readonly #cannotWait: boolean;
  readonly startedAtMs: number;
  readonly #body: RequestBody;
  /** Of a body that is still to come. */
  #place: UploadPlace | undefined = undefined;
  #phase: Phase = 'waiting';
  #plan: ForwardPlan | undefined = undefined;
  #upstream: Carrier | undefined = undefined;
  /** Undefined where nothing is asked. */
  #tries: Tries | undefined = undefined;
  #tunnel: Tunnel | undefined = undefined;
  #trace: RequestTrace | undefined = undefined;
  #status = 0;
  #reason: Reason = '';
  readonly #call: Call | undefined;
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
    this.#body = new RequestBody(head.fields.chunked ? -1 : Math.max(0, head.fields.contentLength));
    this.startedAtMs = runtime.clock.monotonic();
    this.#call = Call.of(head);
    this.#cannotWait = this.#body.lengthBytes !== 0 && (this.#call !== undefined || head.expectsContinue);
    this.#deadlineMs = this.startedAtMs + (this.#call?.timeoutMs ?? Number.POSITIVE_INFINITY);
    this.#countActive(1, this.startedAtMs);
  }

  /** Bytes that went either way: what tells a live exchange from one that has come to a stop. */
  get progress(): number {
    return this.bytesIn + this.bytesOut + (this.#tunnel?.bytesIn ?? 0) + (this.#tunnel?.bytesOut ?? 0);
  }

  get requestDone(): boolean {
    return this.#body.isDone;
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
    const tries = new Tries(this.#runtime, plan.cluster, plan.action.retry, plan.trace);
    this.#tries = tries;
    if (plan.web !== undefined) this.#translate(plan.web);
    this.#boundTime(this.startedAtMs, 0);
    if (this.#body.lengthBytes === 0) this.ask(this.startedAtMs);
    else {
      this.#place = new UploadPlace(tries, this, this.#what);
      this.#place.enter(this.#cannotWait ? 'cannot-wait' : 'may-wait', this.startedAtMs);
    }
  }

  ask(nowMs = this.#runtime.clock.monotonic()): void {
    this.#tries?.open();
    this.#try(nowMs);
  }

  refuse(message: string): void {
    this.#answer(503, 'UO', message);
  }

  /** CONNECT: a connection to the authority or to a cluster's endpoint, then bytes. */
  #connectTunnel(cluster: ClusterState, retry: RetryPolicy | undefined): void {
    this.#tries = new Tries(this.#runtime, cluster, retry, undefined);
    this.ask(this.startedAtMs);
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
    if (!this.#body.take(from, start, end, this.#sending)) this.giveUp(400, 'DPE', NO_BASE64);
    else this.#boundBody();
  }

  /** `trailers`: lines with their CRLF, or ''; `now`: the time, where it is at hand. */
  uploadDone(trailers: string, now = this.#runtime.clock.monotonic()): void {
    if (!this.#body.end(trailers, this.#sending)) {
      this.giveUp(400, 'DPE', NO_BASE64);
      return;
    }
    if (this.#phase !== 'done') this.#place?.whole(now);
    const action = this.#plan?.action;
    if (action === undefined || this.#phase === 'done') return;
    if (action.timeoutMs === 0 && action.perTryTimeoutMs === 0) return;
    if (action.timeoutMs > 0) this.#boundTime(now, action.timeoutMs);
    if (this.#phase === 'sending') this.#upstream?.awaitHead(now, action.perTryTimeoutMs);
  }

  flushUpload(): void {
    if (this.#sending?.flush() === false) this.#client.pauseUpload();
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
    if (reason === 'UT' && this.#phase === 'sending') this.#tries?.endpointFailed(504, this.#runtime.clock.monotonic());
    this.#trace?.broke(reason === 'UT' ? 'timeout' : 'given-up');
    this.#tries?.ended(reason === 'UT' ? 'error' : 'neither');
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
    this.#tries?.ended('neither');
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
    if (this.#isRefused(head, plan)) return 'discard';
    if (plan.ownHandshake && head.status >= 200 && head.status < 300) {
      this.brokenAnswer(REFUSED_SWITCH);
      return 'discard';
    }
    this.#status = head.status;
    this.#call?.answered(head);
    this.#phase = 'responding';
    this.#noOtherTry();
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
    if (this.#call !== undefined && this.#status < 500 && this.#reason === '') this.#tries?.judge(status, now);
    if (this.#call !== undefined) this.#trace?.callEnded(this.#call.status(this.#status, this.#reason));
    this.#tries?.ended(status >= 500 ? 'error' : 'success');
    this.#finish(now);
    this.#client.endResponse(now, trailers);
  }

  tryFailed(failure: TryFailure, message: string): void {
    const now = this.#runtime.clock.monotonic();
    this.#upstream = undefined;
    if (failure.kind === 'connect') {
      this.#tries?.connectFailed(now);
      this.#runtime.log.debug(`connect to "${this.#tries?.endpoint?.key}": ${message}`);
    }
    // A server may tire of an idle connection: that says nothing of it.
    if (failure.kind !== 'reset' || !failure.reused)
      this.#tries?.endpointFailed(failure.kind === 'try-timeout' ? 504 : 503, now);
    this.#trace?.broke(failure.kind);
    this.#tries?.ended('error');
    if (this.#retryAfter(failure, now)) return;
    if (failure.kind === 'try-timeout') this.#fail(504, 'UT', message);
    else this.#fail(503, failure.kind === 'connect' ? 'UF' : 'UC', message);
  }

  brokenAnswer(rejection: Rejection): void {
    this.#upstream = undefined;
    this.#trace?.broke('broken-answer');
    // An application that offers less is not ill.
    if (rejection !== NO_EXTENDED_CONNECT) this.#tries?.endpointFailed(502, this.#runtime.clock.monotonic());
    this.#tries?.ended('error');
    this.#fail(502, 'UPE', rejection.cause);
  }

  truncated(message: string): void {
    this.#upstream = undefined;
    this.#trace?.broke('truncated');
    this.#tries?.endpointFailed(503, this.#runtime.clock.monotonic());
    this.#tries?.ended('error');
    this.#fail(502, 'UC', message);
  }

  upstreamDrained(): void {
    this.#client.resumeUpload();
  }

  #translate(web: WebCall): void {
    this.#client = new WebClient(this.#client, web);
    if (web.textRequest) this.#body.decode();
  }

  // Tries.

  /** A gRPC client's own deadline counts from its head; a route's time begins when the request is whole. */
  #boundTime(nowMs: number, timeoutMs: number): void {
    const dueMs = Math.min(this.#deadlineMs, timeoutMs > 0 ? nowMs + timeoutMs : Number.POSITIVE_INFINITY);
    if (dueMs < Number.POSITIVE_INFINITY) this.#client.startRequestTimeout(nowMs, Math.max(1, dueMs - nowMs));
  }

  #try(nowMs: number): void {
    const tries = this.#tries;
    if (tries === undefined) return;
    const endpoint = tries.begin(this.#authority, nowMs);
    if (endpoint === undefined) {
      this.#answer(503, 'UH', `cluster "${tries.cluster.config.name}": no healthy endpoint`);
      return;
    }
    const client = this.#from.carries ?? this.#client.protocol;
    const carrier = carrierTo(this.#runtime, tries, endpoint, this.#plan, client, this);
    this.#upstream = carrier;
    if (carrier.isConnecting) this.#phase = 'connecting';
    else this.#send(carrier);
  }

  #send(carrier: Carrier): void {
    const plan = this.#plan;
    if (plan === undefined) return;
    this.#phase = 'sending';
    const text = this.#trace === undefined ? plan.head : this.#trace.headOfTry(plan.head);
    const { acceptsTrailers, websocketKey } = plan;
    carrier.sendHead({ text, bodyBytes: this.#body.lengthBytes, acceptsTrailers, websocketKey });
    this.#body.sendTo(carrier);
    this.#boundBody();
    if (!this.requestDone) this.#client.resumeUpload();
    else if (plan.action.perTryTimeoutMs > 0) {
      carrier.awaitHead(this.#runtime.clock.monotonic(), plan.action.perTryTimeoutMs);
    }
  }

  /** What is on its way may be let go when it is too much; what is not makes the client wait. */
  #boundBody(): void {
    if (!this.#body.isFull) return;
    if (this.#phase === 'sending') this.#noOtherTry();
    else if (this.#tries === undefined || this.#tries.isOpen) this.#client.pauseUpload();
    else this.#place?.press();
  }

  #noOtherTry(): void {
    this.#body.letGo();
    this.#place?.settle();
  }

  /** Whether this answer is not the one to give: another try has been planned. */
  #isRefused(head: ResponseHead, plan: ForwardPlan): boolean {
    this.#trace?.answered(head.status);
    const failure = failureIn(head, plan);
    if (failure === undefined) {
      this.#tries?.answered(this.#what);
      return false;
    }
    const now = this.#runtime.clock.monotonic();
    this.#tries?.answerFailed(failure, this.#what, now);
    this.#reason = failure.meshReason ?? '';
    return this.#retryAfter(failure, now);
  }

  /** Plans another try if the failure allows one. */
  #retryAfter(failure: TryFailure, nowMs: number): boolean {
    if (this.#tries === undefined || this.#phase === 'done') return false;
    const { method } = this;
    const replayable = this.#body.isKept;
    const next = this.#tries.repeat(failure, { method, replayable, again: () => this.#tryAgain() }, nowMs);
    if (next === 'no' || next === 'spent') {
      if (next === 'spent' && failure.kind === 'answer' && failure.meshReason === undefined) this.#reason = 'URX';
      return false;
    }
    this.#reason = '';
    this.#upstream = undefined;
    this.#phase = 'waiting';
    if (next === 'at once') this.#try(nowMs);
    return true;
  }

  /** What carries the request now. An answer may begin before the request is whole; the rest is still sent. */
  get #sending(): Carrier | undefined {
    return this.#phase === 'sending' || this.#phase === 'responding' ? this.#upstream : undefined;
  }

  get #what(): 'request' | 'call' {
    return this.#call === undefined ? 'request' : 'call';
  }

  #tryAgain(): void {
    if (this.#phase === 'waiting') this.#try(this.#runtime.clock.monotonic());
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
    this.#tries?.ended(this.#phase === 'tunnel' ? 'success' : 'neither');
    this.#phase = 'done';
    this.#client.stopRequestTimeout();
    const tries = this.#tries;
    this.#place?.leave();
    tries?.close();
    this.#countActive(-1, nowMs);
    const outcome = {
      method: this.method,
      authority: this.#authority,
      target: this.#target,
      status: this.#status,
      reason: this.#reason,
      bytesIn: this.bytesIn + (this.#tunnel?.bytesIn ?? 0),
      bytesOut: this.bytesOut + (this.#tunnel?.bytesOut ?? 0),
      tries: tries?.count ?? 0,
      service: tries?.cluster.config.service ?? '',
      cluster: tries?.cluster.config.name ?? '',
      upstream: tries?.endpoint?.key ?? '',
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
