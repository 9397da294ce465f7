import { stringify } from 'yaml';

export interface KubeconfigOptions {
  readonly server: string;
  readonly caPem: string;
  readonly user: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A kubeconfig with one cluster, one user and one context, all of them in the file itself: kubectl's v1 Config. */
export function renderKubeconfig({ server, caPem, user, certificatePem, privateKeyPem }: KubeconfigOptions): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'tutti', cluster: { server, 'certificate-authority-data': base64(caPem) } }],
    users: [
      {
        name: user,
        user: { 'client-certificate-data': base64(certificatePem), 'client-key-data': base64(privateKeyPem) },
      },
    ],
    contexts: [{ name: 'tutti', context: { cluster: 'tutti', user, namespace: 'default' } }],
    'current-context': 'tutti',
    preferences: {},
  });
}
