import { caPins } from '../../api/client/ca-pin.ts';
import { type ClusterInfo, readClusterInfo } from '../../api/client/cluster-info.ts';
import { type HttpClient, type HttpClientOptions, httpClient } from '../../api/client/http-client.ts';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { CLUSTER_INFO } from '../../api/meta/well-known.ts';
import { JoinRefusedError } from './refusal.ts';

export interface DiscoverOptions {
  /** `https://192.0.2.1:6443`, as the person who joins wrote it. */
  readonly server: string;
  /** `sha256:<hex>` of the CA's public key; one of them must be the cluster's. */
  readonly pins: readonly string[];
}

const USER_AGENT = 'tutti-agent';

/**
 * Reads cluster-info without trust, believes its CA by the pin, and reads it again over a connection that this CA verifies: what
 * was read first could be anybody's (kubeadm's discovery by token, cmd/kubeadm/app/discovery/token). Throws JoinRefusedError.
 */
export async function discoverCluster({ server, pins }: DiscoverOptions): Promise<ClusterInfo> {
  const shared = { server, credentials: { kind: 'anonymous' }, userAgent: USER_AGENT } as const;
  const told = await readWith(server, { ...shared, insecureSkipTlsVerify: true });
  refuseOtherCa(told, { server, pins });
  const verified = await readWith(server, { ...shared, caPem: told.caPem });
  refuseOtherCa(verified, { server, pins });
  return verified;
}

/** Of several CA certificates, as during a rotation, each must be pinned: an unpinned one could sign for anyone. */
function refuseOtherCa({ caPem }: ClusterInfo, { server, pins }: DiscoverOptions): void {
  const found = pinsIn(caPem, server);
  if (found.length > 0 && found.every((pin) => pins.includes(pin))) return;
  throw new JoinRefusedError(
    `API server ${server}: its CA is ${found.join(', ') || 'no certificate'}, wanted is ${pins.join(', ')}`,
    'this may be another server that pretends to be yours; if it is not, make a new join command with "tutti token create"',
  );
}

function pinsIn(caPem: string, server: string): readonly string[] {
  try {
    return caPins(caPem);
  } catch (error) {
    throw new JoinRefusedError(
      `API server ${server}: its CA certificate cannot be read`,
      'is it a Tutti control plane?',
      {
        cause: error,
      },
    );
  }
}

async function readWith(server: string, options: HttpClientOptions): Promise<ClusterInfo> {
  const client = httpClient(options);
  try {
    return await readInfo(client);
  } catch (error) {
    if (error instanceof JoinRefusedError) throw error;
    throw new JoinRefusedError(
      `API server ${server}: ${(error as Error).message}`,
      'is the address right, does the control plane run, and was it started with --bind-address and --advertise-address for it?',
      { cause: error },
    );
  } finally {
    await client.close();
  }
}

/** Throws ApiError, or JoinRefusedError where the server is none of ours. */
export async function readInfo(client: Pick<HttpClient, 'get' | 'server'>): Promise<ClusterInfo> {
  const { data } = await client.get(configMapKind, { namespace: 'kube-public', name: CLUSTER_INFO });
  const info = readClusterInfo(data);
  if (info !== undefined) return info;
  throw new JoinRefusedError(
    `API server ${client.server}: its cluster-info is not that of a Tutti control plane`,
    'name another with --join',
  );
}
