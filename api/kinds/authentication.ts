import { z } from 'zod';
import { objectMetaSchema } from '../meta/object-meta.ts';
import { timeSchema } from '../meta/time.ts';

/*
 * authentication.k8s.io/v1: asking for tokens and asking who somebody is. None is stored: a POST carries the question and
 * gets it back with its status filled.
 */

const metadata = objectMetaSchema.default(() => ({}));
const apiVersion = z.literal('authentication.k8s.io/v1');

const userInfoSchema = z.strictObject({
  username: z.string().optional(),
  uid: z.string().optional(),
  groups: z.array(z.string()).optional(),
  extra: z.record(z.string(), z.array(z.string())).optional(),
});

/** POST to serviceaccounts/NAME/token. */
export const tokenRequestSchema = z
  .strictObject({
    apiVersion,
    kind: z.literal('TokenRequest'),
    metadata,
    spec: z
      .strictObject({
        audiences: z
          .array(z.string())
          .default(() => [])
          .describe('Who the token is for; the API server unless told.'),
        // One hour: SetDefaults_TokenRequestSpec.
        expirationSeconds: z.int().default(3600).describe('How long it is to be valid.'),
        boundObjectRef: z
          .strictObject({
            kind: z.string().optional(),
            apiVersion: z.string().optional(),
            name: z.string().optional(),
            uid: z.string().optional(),
          })
          .optional()
          .describe('The Pod with which the token ends.'),
      })
      .prefault({}),
    status: z.strictObject({ token: z.string(), expirationTimestamp: timeSchema }).optional(),
  })
  .describe('Asks for a token of a ServiceAccount.');

export const tokenReviewSchema = z
  .strictObject({
    apiVersion,
    kind: z.literal('TokenReview'),
    metadata,
    spec: z.strictObject({ token: z.string().optional(), audiences: z.array(z.string()).optional() }).prefault({}),
    status: z
      .strictObject({
        authenticated: z.boolean().optional(),
        user: userInfoSchema.optional(),
        audiences: z.array(z.string()).optional(),
        error: z.string().optional(),
      })
      .optional(),
  })
  .describe('Asks whose token this is.');

export const selfSubjectReviewSchema = z
  .strictObject({
    apiVersion,
    kind: z.literal('SelfSubjectReview'),
    metadata,
    status: z.strictObject({ userInfo: userInfoSchema.optional() }).optional(),
  })
  .describe('Asks who the caller is (kubectl auth whoami).');

export type UserInfo = z.infer<typeof userInfoSchema>;
export type TokenRequest = z.infer<typeof tokenRequestSchema>;
export type TokenReview = z.infer<typeof tokenReviewSchema>;
export type SelfSubjectReview = z.infer<typeof selfSubjectReviewSchema>;
