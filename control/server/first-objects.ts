import type { Client } from '../../api/client/client.ts';
import { namespaceKind } from '../../api/kinds/namespace.ts';
import { hasCode } from '../../api/meta/api-error.ts';

/** The namespaces that a cluster has from its first start; leases of nodes are in kube-node-lease. */
const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease', 'tutti-system'];

/** Makes what must be there and is not; what is there stays as it is. */
export async function makeFirstObjects(client: Client): Promise<void> {
  for (const name of NAMESPACES) {
    try {
      await client.create(namespaceKind, { metadata: { name }, spec: {}, status: { phase: 'Active' } });
    } catch (error) {
      if (!hasCode(error, 409)) throw error;
    }
  }
}
