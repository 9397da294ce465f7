import { createHash, X509Certificate } from 'node:crypto';

const BEGIN = '-----BEGIN CERTIFICATE-----';

/** `sha256:` and 64 hexadecimal digits. */
const PIN = /^sha256:[0-9a-f]{64}$/;

export function isCaPin(text: string): boolean {
  return PIN.test(text);
}

/**
 * The pins of the certificates in a PEM text: `sha256:<hex>` of each one's SubjectPublicKeyInfo, as kubeadm's
 * `--discovery-token-ca-cert-hash` (cmd/kubeadm/app/util/pubkeypin, RFC 7469). Throws for what is no certificate.
 */
export function caPins(pem: string): readonly string[] {
  return pem
    .split(BEGIN)
    .slice(1)
    .map((body) => {
      const { publicKey } = new X509Certificate(BEGIN + body);
      const info = publicKey.export({ type: 'spki', format: 'der' });
      return `sha256:${createHash('sha256').update(info).digest('hex')}`;
    });
}
