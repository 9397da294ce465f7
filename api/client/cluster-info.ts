import { stringify } from 'yaml';

/** What a machine that joins is told of the cluster. Worth nothing until the CA's pin has been checked. */
export interface ClusterInfo {
  /** `https://192.0.2.1:6443` */
  readonly server: string;
  readonly caPem: string;
  /** `192.0.2.1:6444` */
  readonly xdsAddress: string;
  readonly trustDomain: string;
}

/** The data of the ConfigMap: a kubeconfig without a user, as kubeadm writes it, and beside it what a kubeconfig has no place for. */
export function clusterInfoData({ server, caPem, xdsAddress, trustDomain }: ClusterInfo): Record<string, string> {
  const data = new TextEncoder().encode(caPem).toBase64();
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: '', cluster: { server, 'certificate-authority-data': data } }],
  };
  return {
    kubeconfig: stringify(kubeconfig, { lineWidth: 0 }),
    server,
    'ca.crt': caPem,
    xds: xdsAddress,
    'trust-domain': trustDomain,
  };
}

/** Undefined when something is missing: another cluster's cluster-info has no xDS address. */
export function readClusterInfo(data: Readonly<Record<string, string>> | undefined): ClusterInfo | undefined {
  const { server, 'ca.crt': caPem, xds: xdsAddress, 'trust-domain': trustDomain } = data ?? {};
  if (!server || !caPem || !xdsAddress || !trustDomain) return undefined;
  return { server, caPem, xdsAddress, trustDomain };
}
