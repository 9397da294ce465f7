import type { Client } from '../api/client/client.ts';
import { type ClusterInfo, clusterInfoData } from '../api/client/cluster-info.ts';
import { configMapKind } from '../api/kinds/config-map.ts';
import { hasCode } from '../api/meta/api-error.ts';
import { CLUSTER_INFO } from '../api/meta/well-known.ts';

/** Says in kube-public, where anybody may read it, how machines join. Anew at each start: addresses may have changed. */
export async function publishClusterInfo(client: Client, info: ClusterInfo): Promise<void> {
  const ref = { namespace: 'kube-public', name: CLUSTER_INFO };
  const data = clusterInfoData(info);
  try {
    await client.patch(configMapKind, ref, { data }, { type: 'merge' });
  } catch (error) {
    if (!hasCode(error, 404)) throw error;
    await client.create(configMapKind, { metadata: ref, data });
  }
}
