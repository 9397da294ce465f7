import type { Client } from '../../api/client/client.ts';
import { gatewayClassKind } from '../../api/kinds/gateway-class.ts';
import { namespaceKind } from '../../api/kinds/namespace.ts';
import { serviceAccountKind } from '../../api/kinds/service-account.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import {
  GATEWAY_CLASS,
  GATEWAY_CONTROLLER,
  INGRESS_NAMESPACE,
  INGRESS_SERVICE_ACCOUNT,
} from '../../api/meta/well-known.ts';

/** The namespaces that a cluster has from its first start; leases of nodes are in kube-node-lease. */
const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease', INGRESS_NAMESPACE];

/** Makes what must be there and is not; what is there stays as it is. */
export async function makeFirstObjects(client: Client): Promise<void> {
  for (const name of NAMESPACES) {
    await unlessThere(client.create(namespaceKind, { metadata: { name }, spec: {}, status: { phase: 'Active' } }));
  }
  // Whose tokens agents fetch for their ingress proxies.
  const ingress = { name: INGRESS_SERVICE_ACCOUNT, namespace: INGRESS_NAMESPACE };
  await unlessThere(client.create(serviceAccountKind, { metadata: ingress }));
  // What a Gateway names to have the ingress bind it.
  const spec = { controllerName: GATEWAY_CONTROLLER, description: 'Bound by the ingress of every node' };
  await unlessThere(client.create(gatewayClassKind, { metadata: { name: GATEWAY_CLASS }, spec }));
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!hasCode(error, 409)) throw error;
  }
}
