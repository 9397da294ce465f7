import { type SvidRequest, svidRequestSchema } from '../../../api/kinds/svid-request.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { IssueRefusedError } from '../../../certs/authority/refusal.ts';
import { timestamp } from '../../../kit/clock.ts';
import { serviceAccountOf } from '../authn/user.ts';
import { sendBody } from '../http/answer.ts';
import { createOnly, type Endpoint } from '../http/endpoint.ts';
import { questionIn } from '../reviews/question.ts';

const REQUEST = { group: 'tutti.dev', version: 'v1alpha1', kind: 'SvidRequest', schema: svidRequestSchema };

/** Whose SVID it is to be, as the token of the request says. */
export interface SvidSubject {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** What was asked for; the authority has its own default and limits. */
  readonly ttlSeconds?: number;
}

export interface SignedSvid {
  readonly certificateChainPem: string;
  readonly trustBundlePem: string;
  readonly notAfterMs: number;
}

/** Throws IssueRefusedError for a CSR that the authority does not sign. */
export type SignSvid = (csrPem: string, subject: SvidSubject) => SignedSvid | Promise<SignedSvid>;

/** A workload asks for its SVID. Who it is comes from its token; a CSR that says otherwise is refused. */
export function svidRequests(signSvid: SignSvid): Endpoint {
  return createOnly({ ...REQUEST, resource: 'svidrequests', namespaced: false }, async (call) => {
    const account = serviceAccountOf(call.user);
    if (account === undefined) {
      const why = `user ${JSON.stringify(call.user.name)} is not a service account, and no one else gets an SVID`;
      throw ApiError.forbidden({ group: REQUEST.group, plural: 'svidrequests' }, '', why);
    }
    const request = questionIn(call, REQUEST);
    const { csr, ttlSeconds } = request.spec;
    const subject = {
      namespace: account.namespace,
      serviceAccount: account.name,
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
    };
    const answer: SvidRequest = { ...request, status: statusOf(await signed(signSvid, csr, subject)) };
    sendBody(call.reply.code(201), answer, call.form().representation);
  });
}

async function signed(signSvid: SignSvid, csr: string, subject: SvidSubject): Promise<SignedSvid> {
  try {
    return await signSvid(csr, subject);
  } catch (error) {
    if (!(error instanceof IssueRefusedError)) throw error;
    const message = `Invalid value: ${error.message}`;
    throw ApiError.invalid(REQUEST, '', [{ type: 'FieldValueInvalid', field: 'spec.csr', message }]);
  }
}

function statusOf({ certificateChainPem, trustBundlePem, notAfterMs }: SignedSvid): NonNullable<SvidRequest['status']> {
  return {
    certificateChain: certificateChainPem,
    trustBundle: trustBundlePem,
    expirationTimestamp: timestamp(notAfterMs),
  };
}
