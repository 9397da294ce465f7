import { type Secret, secretKind } from '../../../api/kinds/secret.ts';
import { hasCode } from '../../../api/meta/api-error.ts';
import { JOIN_TOKEN_NAMESPACE, JOIN_TOKEN_TYPE } from '../../../api/meta/well-known.ts';
import { type ControllerContext, type Running, refOf } from '../controller.ts';
import { startSweep } from '../sweep.ts';

/** Whether a join token's time is over. One without an expiration stays for good; one that is no date counts as expired (tokencleaner). */
export function hasJoinTokenExpired({ data }: Secret, nowMs: number): boolean {
  const expiration = Buffer.from(data?.['expiration'] ?? '', 'base64').toString();
  return expiration !== '' && !(Date.parse(expiration) > nowMs);
}

/** Deletes join tokens that have expired, once a minute, so that no list of them grows and no old one lies about. */
export function startJoinTokenSweeper({ client, clock, log }: ControllerContext): Running {
  const listed = { namespace: JOIN_TOKEN_NAMESPACE, fieldSelector: `type=${JOIN_TOKEN_TYPE}` };
  return startSweep({ clock, log }, 'join tokens', async () => {
    const { items } = await client.list(secretKind, listed);
    for (const token of items.filter((item) => hasJoinTokenExpired(item, clock.now()))) {
      const { uid, resourceVersion } = token.metadata;
      try {
        // One whose time was prolonged since it was listed stays.
        await client.delete(secretKind, refOf(token), { preconditions: { uid, resourceVersion } });
      } catch (error) {
        if (!hasCode(error, 404) && !hasCode(error, 409)) throw error;
      }
    }
  });
}
