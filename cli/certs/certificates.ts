import { X509Certificate } from 'node:crypto';
import type { Client } from '../../api/client/client.ts';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { nodeKind } from '../../api/kinds/node.ts';
import { hasCode } from '../../api/meta/api-error.ts';
import { readCarried } from '../../api/trust/carried-identities.ts';
import { readTrustState, type ShownCertificate, TRUST_BUNDLE, type TrustState } from '../../api/trust/trust-bundle.ts';
import { timestamp } from '../../kit/clock.ts';
import { CommandError } from '../output/exit-codes.ts';

export interface CertificateRow extends ShownCertificate {
  readonly kind: 'ca' | 'control-plane' | 'agent' | 'ingress' | 'workload';
  readonly name: string;
}

export interface CertificatesView {
  readonly stage: TrustState['stage'];
  readonly generation: number;
  readonly certificates: readonly CertificateRow[];
}

export interface Trust {
  readonly state: TrustState;
  readonly bundlePem: string;
}

/** What the control plane tells of its CA. Throws CommandError when it tells nothing. */
export async function readTrust(client: Pick<Client, 'get'>): Promise<Trust> {
  const map = await client.get(configMapKind, TRUST_BUNDLE).catch((error: unknown) => {
    if (hasCode(error, 404)) return undefined;
    throw error;
  });
  const state = map === undefined ? undefined : readTrustState(map);
  if (state !== undefined) return { state, bundlePem: map?.data?.['ca.crt'] ?? '' };
  throw new CommandError(`configmap "${TRUST_BUNDLE.namespace}/${TRUST_BUNDLE.name}": tells nothing of the CA`, {
    hint: 'the control plane writes it when it starts; is it of this version?',
  });
}

/** Every certificate that the control plane and the agents tell of. */
export async function readCertificates(client: Pick<Client, 'get' | 'list'>): Promise<CertificatesView> {
  const { state, bundlePem } = await readTrust(client);
  const { items } = await client.list(nodeKind);
  const nodes = items.flatMap((node): CertificateRow[] => {
    const { agent, identities = [] } = readCarried(node) ?? {};
    const { name } = node.metadata;
    return [
      ...(agent === undefined ? [] : [{ kind: 'agent' as const, name, ...agent }]),
      ...identities.map(({ name: of, spiffeId, serial, issuer, notAfter }) => ({
        kind: of === 'ingress' ? ('ingress' as const) : ('workload' as const),
        name: of === 'ingress' ? name : of.replace(/^pod\//, ''),
        spiffeId,
        serial,
        issuer,
        notAfter,
      })),
    ];
  });
  return {
    stage: state.stage,
    generation: state.generation,
    certificates: [
      ...rootsIn(bundlePem, state),
      ...(state.control === undefined ? [] : [{ kind: 'control-plane' as const, name: 'control', ...state.control }]),
      ...nodes,
    ],
  };
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The one that signs comes first, as in the bundle. */
function rootsIn(pem: string, { stage, issuer }: TrustState): readonly CertificateRow[] {
  const others = { steady: 'other', distributing: 'next', overlap: 'previous' }[stage];
  return [...pem.matchAll(BLOCK)].map(([block], at) => {
    const root = new X509Certificate(block);
    return {
      kind: 'ca',
      name: at === 0 ? 'issuing' : others,
      spiffeId: (root.subjectAltName ?? '').replace(/^URI:/, ''),
      serial: root.serialNumber,
      issuer: at === 0 ? issuer : '',
      notAfter: timestamp(root.validToDate.getTime()),
    };
  });
}
