import type { HttpClient } from '../../api/client/http-client.ts';
import { tokenRequestSchema } from '../../api/kinds/authentication.ts';

/** Whose token, for whom, and with which object it ends. */
export interface TokenOrder {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** The API server itself when missing. */
  readonly audience?: string | undefined;
  readonly expirationSeconds: number;
  readonly boundTo?: { readonly kind: 'Pod'; readonly name: string; readonly uid: string };
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

export type TokenIssuer = (order: TokenOrder) => Promise<IssuedToken>;

/** Asks the API server: POST to serviceaccounts/NAME/token (authentication.k8s.io/v1 TokenRequest). */
export function tokenIssuer(client: Pick<HttpClient, 'request'>): TokenIssuer {
  return async ({ namespace, serviceAccount, audience, expirationSeconds, boundTo }) => {
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        audiences: audience === undefined ? [] : [audience],
        expirationSeconds,
        ...(boundTo === undefined ? {} : { boundObjectRef: { apiVersion: 'v1', ...boundTo } }),
      },
    };
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
    const { status } = tokenRequestSchema.parse(await client.request('POST', path, { body }));
    if (status === undefined)
      throw new Error(`token of service account "${namespace}/${serviceAccount}": the answer has none`);
    return { token: status.token, expiresAtMs: Date.parse(status.expirationTimestamp) };
  };
}
