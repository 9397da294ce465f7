import { type Metadata, type ServerWritableStream, status } from '@grpc/grpc-js';
import type { MeshIdentity } from '../../../certs/workload/mesh-identity.ts';
import { derListOf, keyDerOf } from '../../../certs/workload/spiffe-api/der-list.ts';
import type { X509BundlesResponse, X509SvidResponse } from '../../../certs/workload/spiffe-api/messages.ts';
import { SECURITY_HEADER } from '../../../certs/workload/spiffe-api/methods.ts';
import type { Clock } from '../../../kit/clock.ts';
import type { Logger } from '../../../kit/log.ts';
import type { WorkloadIdentity } from '../workload-identity.ts';

export interface Answering {
  /** Missing: the caller is nobody's process. */
  readonly identity: WorkloadIdentity | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** FetchX509SVID: the whole of it at once, and again with each rotation of SVID or bundle, until one of the sides ends the stream. */
export function serveSvids(call: ServerWritableStream<unknown, X509SvidResponse>, answering: Answering): void {
  follow(call, answering, ({ spiffeId, certificateChainPem, privateKeyPem, trustBundlePem }) => ({
    svids: [
      {
        spiffeId,
        certificates: derListOf(certificateChainPem),
        privateKey: keyDerOf(privateKeyPem),
        bundle: derListOf(trustBundlePem),
      },
    ],
  }));
}

/** FetchX509Bundles: the same for those that only verify others. */
export function serveBundles(call: ServerWritableStream<unknown, X509BundlesResponse>, answering: Answering): void {
  let last: string | undefined;
  follow(call, answering, ({ spiffeId, trustBundlePem }) => {
    if (last === trustBundlePem) return undefined;
    last = trustBundlePem;
    return { bundles: new Map([[trustDomainOf(spiffeId), derListOf(trustBundlePem)]]) };
  });
}

function follow<Response>(
  call: ServerWritableStream<unknown, Response>,
  { identity, clock, log }: Answering,
  answer: (identity: MeshIdentity) => Response | undefined,
): void {
  if (!hasSecurityHeader(call.metadata)) {
    fail(call, status.INVALID_ARGUMENT, `metadata "${SECURITY_HEADER}: true" is missing`);
    return;
  }
  if (identity === undefined) {
    fail(call, status.PERMISSION_DENIED, 'no identity issued: the calling process belongs to no pod of this node');
    return;
  }
  const tell = (current: MeshIdentity): void => {
    // One that has ended would only be refused by whom it is shown to.
    if (current.notAfterMs <= clock.now()) return;
    const response = answer(current);
    if (response !== undefined) call.write(response);
  };
  const unsubscribe = identity.onChange(tell);
  call.on('cancelled', unsubscribe);
  call.on('close', unsubscribe);
  if (identity.current !== undefined) tell(identity.current);
  // Of a pod that has no sidecar nobody else has asked for it; the stream stays open until there is one.
  identity.start().catch((error: unknown) => {
    log.warn({ error, spiffeId: identity.spiffeId }, 'no token can be had for an identity');
    fail(call, status.UNAVAILABLE, 'the control plane cannot be reached; try again');
  });
}

function hasSecurityHeader(metadata: Metadata): boolean {
  const values = metadata.get(SECURITY_HEADER);
  return values.length === 1 && values[0] === 'true';
}

function fail<Response>(call: ServerWritableStream<unknown, Response>, code: status, details: string): void {
  call.emit('error', { code, details });
}

/** `spiffe://tutti.local` of `spiffe://tutti.local/ns/…`. */
function trustDomainOf(spiffeId: string): string {
  return spiffeId.split('/', 3).join('/');
}
