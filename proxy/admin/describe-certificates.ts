import type { MeshIdentity } from '../../certs/workload/mesh-identity.ts';
import { certificatesIn } from '../../certs/workload/shown-certificate.ts';

const DAY_MS = 86_400_000;

/** What this proxy shows its peers and verifies them by, in the form of Envoy's admin interface (`GET /certs`). */
export function describeCertificates(identity: MeshIdentity | undefined, nowMs: number): object {
  if (identity === undefined) return { certificates: [] };
  const { trustBundlePem, certificateChainPem } = identity;
  return {
    certificates: [{ ca_cert: described(trustBundlePem, nowMs), cert_chain: described(certificateChainPem, nowMs) }],
  };
}

function described(pem: string, nowMs: number): readonly object[] {
  return certificatesIn(pem).map((certificate) => {
    const uris = (certificate.subjectAltName ?? '').split(', ').filter((name) => name.startsWith('URI:'));
    return {
      path: '<inline>',
      serial_number: certificate.serialNumber.toLowerCase(),
      subject_alt_names: uris.map((uri) => ({ uri: uri.slice('URI:'.length) })),
      days_until_expiration: String(Math.max(0, Math.floor((certificate.validToDate.getTime() - nowMs) / DAY_MS))),
      valid_from: certificate.validFromDate.toISOString(),
      expiration_time: certificate.validToDate.toISOString(),
    };
  });
}
