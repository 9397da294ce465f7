import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GroupVersionKind, Kind } from '../../../api/kinds/kind.ts';
import type { User } from '../authn/user.ts';
import type { AnswerForm } from './answer.ts';
import type { ParsedBody } from './body.ts';
import type { ResourceInfo } from './request-info.ts';
import type { Warnings } from './warnings.ts';

/** One authenticated and authorized request for a resource. */
export interface ApiCall {
  readonly info: ResourceInfo;
  readonly user: User;
  readonly query: URLSearchParams;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly warnings: Warnings;
  /** Throws ApiError 400 or 415; undefined when there is no body. */
  readonly body: () => ParsedBody | undefined;
  /** Throws ApiError 406. */
  readonly form: () => AnswerForm;
}

export type Handler = (call: ApiCall) => Promise<unknown>;

/** A resource or subresource that is served: what requests reach it, and what discovery tells of it. */
export interface Endpoint {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** Empty for the resource itself. */
  readonly subresource: string;
  readonly namespaced: boolean;
  /** What it answers with. */
  readonly responseKind: GroupVersionKind;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** By Kubernetes' verb. */
  readonly verbs: Readonly<Record<string, Handler>>;
  /** The stored or live kind behind it, for the OpenAPI document. */
  readonly kind?: Kind;
}

/** An endpoint that is asked by POST and answers at once, such as a review. */
export function createOnly(
  place: Pick<Endpoint, 'group' | 'version' | 'resource' | 'namespaced'> & { readonly kind: string },
  handler: Handler,
): Endpoint {
  const { kind, ...rest } = place;
  return {
    ...rest,
    subresource: '',
    responseKind: { group: place.group, version: place.version, kind },
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    verbs: { create: handler },
  };
}
