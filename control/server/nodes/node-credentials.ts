import type { PeerCertificate } from 'node:tls';
import { nodeKind } from '../../../api/kinds/node.ts';
import { agentSpiffeId, NODE_CERTIFICATES } from '../../../api/meta/well-known.ts';
import type { StoredObjects } from '../verbs/stored-objects.ts';

export interface NodeCredentialsOptions {
  readonly objects: StoredObjects;
  readonly trustDomain: string;
}

/** How a Node names a certificate: SHA-256 in lower-case hex. */
export function fingerprintOf({ fingerprint256 }: Pick<PeerCertificate, 'fingerprint256'>): string {
  return fingerprint256.replaceAll(':', '').toLowerCase();
}

function certificatesIn(annotation: string | undefined): readonly string[] {
  return (annotation ?? '').split(',').filter((each) => each !== '');
}

const MAX_TOLD = 1000;

/** Knows which certificates of nodes are still good. */
export class NodeCredentials {
  readonly #options: NodeCredentialsOptions;
  /** Nodes whose refusal has been told: an agent that is refused asks again every second. */
  readonly #told = new Set<string>();

  constructor(options: NodeCredentialsOptions) {
    this.#options = options;
  }

  /** Whether the certificate came by joining: the control plane writes others for the agent of its own state folder. */
  hasJoined(certificate: PeerCertificate, node: string): boolean {
    const names = (certificate.subjectaltname ?? '').split(', ');
    return names.includes(`URI:${agentSpiffeId(this.#options.trustDomain, node)}`);
  }

  /** Whether this is worth a line that an operator reads: the first refusal since the node was last let in. */
  isNews(node: string): boolean {
    const { size } = this.#told;
    if (size >= MAX_TOLD) this.#told.clear();
    return this.#told.add(node).size !== size;
  }

  /** Why a verified certificate of this node is not good any more; undefined when it is. */
  async problem(certificate: PeerCertificate, node: string): Promise<string | undefined> {
    const problem = await this.#problem(certificate, node);
    if (problem === undefined) this.#told.delete(node);
    return problem;
  }

  async #problem(certificate: PeerCertificate, node: string): Promise<string | undefined> {
    const present = await this.#options.objects.get(nodeKind, { name: node });
    const listed = certificatesIn(present?.metadata.annotations?.[NODE_CERTIFICATES]);
    if (!this.hasJoined(certificate, node)) {
      return listed.length === 0 ? undefined : `another agent has joined as node "${node}"`;
    }
    if (present === undefined) {
      return `node "${node}" was removed, and its credentials with it; join again with a token of "tutti token create"`;
    }
    return listed.includes(fingerprintOf(certificate))
      ? undefined
      : `this certificate of node "${node}" has been replaced; join again with a token of "tutti token create"`;
  }
}
