import type { Node } from '../../../api/kinds/node.ts';
import type { Secret } from '../../../api/kinds/secret.ts';
import { findCondition } from '../../../api/meta/condition.ts';
import { NODE_CERTIFICATES, TOKEN_USED_AT, TOKEN_USED_BY, TOKEN_USED_KEY } from '../../../api/meta/well-known.ts';

/** A node that has just joined is not ready yet: so long its name is taken too. */
const SETTLING_MS = 30_000;

export interface JoinQuestion {
  readonly node: string;
  /** SHA-256 of the asker's public key. */
  readonly keyHash: string;
  readonly tokenId: string;
  /** The token's Secret as it is stored. */
  readonly token: Pick<Secret, 'metadata'>;
  /** The Node of that name, if there is one. */
  readonly present: Node | undefined;
  readonly nowMs: number;
}

export type JoinDecision =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'token-used' | 'name-taken'; readonly message: string };

/** Whether a machine with a good token may become this node. A token is one node's; a living node's name is its own. */
export function decideJoin(question: JoinQuestion): JoinDecision {
  const { node, keyHash, tokenId, token, present, nowMs } = question;
  const { annotations = {} } = token.metadata;
  const usedBy = annotations[TOKEN_USED_BY];
  const isRetry = usedBy === node && annotations[TOKEN_USED_KEY] === keyHash;
  if (usedBy !== undefined && !isRetry) {
    const message = `join token "${tokenId}" was used by node "${usedBy}" at ${annotations[TOKEN_USED_AT] ?? 'an unknown time'}; each lets one node in, make another with "tutti token create"`;
    return { ok: false, reason: 'token-used', message };
  }
  if (!isRetry && present !== undefined && isLiving(present, nowMs)) {
    const message = `node "${node}" is there, with other credentials; join under another name with --node-name, or remove it first with "tutti delete node ${node}"`;
    return { ok: false, reason: 'name-taken', message };
  }
  return { ok: true };
}

function isLiving({ metadata, status }: Node, nowMs: number): boolean {
  if (findCondition(status.conditions, 'Ready')?.status === 'True') return true;
  const hasJoined = metadata.annotations?.[NODE_CERTIFICATES] !== undefined && status.conditions === undefined;
  return hasJoined && nowMs - Date.parse(metadata.creationTimestamp) < SETTLING_MS;
}
