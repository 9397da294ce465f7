import { DeltaDiscoveryRequest, type Node } from '../../xds/messages.js';
import type { ResourceKind } from './resource.ts';
import type { ClientFeatures, SessionResponse, SubscriptionRequest, Variant } from './session.ts';
import { SotwRequests } from './sotw-requests.ts';
import { deltaResponse, sotwResponse } from './wire.ts';

/** What of a request says who asks for what, in either variant. */
export interface Envelope {
  readonly node: Node | null;
  readonly typeUrl: string;
  readonly as: (kind: ResourceKind) => SubscriptionRequest;
}

/** One of ADS' two methods, in bytes. */
export interface AdsVariant {
  readonly variant: Variant;
  /** For the requests of one stream; throws on what is none. */
  readonly reader: () => (bytes: Buffer) => Envelope;
  readonly write: (response: SessionResponse, features: ClientFeatures, server: string) => Buffer;
}

export const SOTW: AdsVariant = {
  variant: 'sotw',
  reader: () => {
    const requests = new SotwRequests();
    return (bytes) => {
      const { node, typeUrl, resourceNames: names, responseNonce: nonce, errorDetail } = requests.read(bytes);
      return { node, typeUrl, as: (kind) => ({ variant: 'sotw', kind, names, nonce, error: errorDetail?.message }) };
    };
  },
  write: sotwResponse,
};

export const DELTA: AdsVariant = {
  variant: 'delta',
  reader: () => (bytes) => {
    const request = DeltaDiscoveryRequest.decode(bytes);
    return {
      node: request.node,
      typeUrl: request.typeUrl,
      as: (kind) => ({
        variant: 'delta',
        kind,
        subscribe: request.resourceNamesSubscribe,
        unsubscribe: request.resourceNamesUnsubscribe,
        initialVersions: request.initialResourceVersions,
        nonce: request.responseNonce,
        error: request.errorDetail?.message,
      }),
    };
  },
  write: deltaResponse,
};
