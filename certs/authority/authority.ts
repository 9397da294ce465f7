import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/log.ts';
import { parseSpiffeId } from '../workload/spiffe-id.ts';
import { keyIdOf, signCertificate } from '../x509/certificate.ts';
import { type Der, decode, itemsOf } from '../x509/der.ts';
import {
  altNames,
  authorityKeyId,
  extendedKeyUsage,
  keyUsage,
  leafConstraints,
  subjectKeyId,
} from '../x509/extensions.ts';
import { distinguishedName } from '../x509/name.ts';
import { toPem } from '../x509/pem.ts';
import { isSupportedKey, readRequest } from '../x509/request.ts';
import { keyOfNodeRequest } from './node-request.ts';
import { IssueRefusedError } from './refusal.ts';
import { SKEW_MS } from './root.ts';
import {
  bundleOf,
  openRoots,
  type Roots,
  type RotationStage,
  type RotationStep,
  stageOf,
  takeStep,
} from './root-rotation.ts';

const DEFAULT_SVID_TTL_SECONDS = 24 * 3600;
/** Shorter ones would be rotated without pause. The API asks for minutes; tests take seconds. */
const MIN_SVID_TTL_SECONDS = 10;
/** Who asks for longer gets this: an SVID is meant to be short-lived. */
const MAX_SVID_TTL_SECONDS = 7 * 24 * 3600;

/** For servers of the control plane and for people: as kubeadm's certificates, a year. */
const CREDENTIALS_TTL_SECONDS = 365 * 24 * 3600;

/** Renewed by the agent itself: long enough for a machine that is off over the holidays. */
const DEFAULT_NODE_TTL_SECONDS = 30 * 24 * 3600;

export interface AuthorityOptions {
  /** Holds the key (0600) and the certificate; made on the first start. */
  readonly folder: string;
  readonly trustDomain: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Whose key: a request's, which proves that the asker has it, or one the caller knows to be the asker's. */
type SubjectKey = { readonly csrPem: string } | { readonly publicKey: KeyObject };

export type SvidRequest = SubjectKey & {
  /** Who the asker is, as the caller has authenticated it. A CSR that names another is refused. */
  readonly spiffeId: string;
  readonly ttlSeconds?: number;
};

export interface ServingRequest {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** For a server that the mesh knows too: then the certificate is an SVID as well. */
  readonly spiffeId?: string;
}

export interface ClientRequest {
  /** Kubernetes' user: the subject's common name. */
  readonly user: string;
  /** Kubernetes' groups: the subject's organizations. */
  readonly groups: readonly string[];
  readonly spiffeId?: string;
}

export interface NodeRequest {
  readonly csrPem: string;
  /** Who the asker may be, as the caller has authenticated it. */
  readonly node: string;
  readonly ttlSeconds?: number;
}

export interface IssuedCertificate {
  /** Leaf first. The root signs it, so there is nothing between. */
  readonly certificateChainPem: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface IssuedCredentials extends IssuedCertificate {
  readonly privateKeyPem: string;
}

/** Opens the certificate authority of a trust domain. Throws AuthorityRefusedError, which says what to do. */
export async function openAuthority(options: AuthorityOptions): Promise<Authority> {
  const { folder, trustDomain, clock, log } = options;
  if (parseSpiffeId(`spiffe://${trustDomain}`) === undefined) {
    throw new TypeError(`trust domain "${trustDomain}": lower-case letters, digits, ".", "-" and "_" are wanted`);
  }
  const roots = await openRoots(folder, trustDomain, clock.now());
  if (roots.issuing.isNew) log.info({ folder, trustDomain }, 'certificate authority made');
  return new Authority(roots, options);
}

interface Leaf {
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Der;
  readonly subject: Der;
  readonly ttlSeconds: number;
  /** Usages, purposes and names. */
  readonly extensions: readonly Der[];
}

// The parts that every leaf shares are built once. Leaf constraints: X509-SVID.md, sections 4.1 and 4.3.
const NO_SUBJECT = distinguishedName({});
const LEAF = [leafConstraints(), keyUsage('digitalSignature')];
const BOTH_PURPOSES = extendedKeyUsage('serverAuth', 'clientAuth');
const SERVER_ONLY = extendedKeyUsage('serverAuth');
const CLIENT_ONLY = extendedKeyUsage('clientAuth');

/** The root that signs, with what of it every certificate repeats. */
interface Issuer {
  readonly key: KeyObject;
  readonly name: Der;
  readonly keyId: Der;
  readonly hexKeyId: string;
  readonly notAfterMs: number;
}

/** Signs certificates with the root. Synchronous: the disk is read when it is opened, and written when the root changes. */
export class Authority {
  readonly trustDomain: string;
  readonly #folder: string;
  readonly #clock: Clock;
  #roots: Roots;
  #issuer: Issuer;

  constructor(
    roots: Roots,
    { folder, trustDomain, clock }: Pick<AuthorityOptions, 'folder' | 'trustDomain' | 'clock'>,
  ) {
    this.trustDomain = trustDomain;
    this.#folder = folder;
    this.#clock = clock;
    this.#roots = roots;
    this.#issuer = issuerOf(roots);
  }

  /** Every CA certificate that issued chains may end in. */
  get trustBundlePem(): string {
    return bundleOf(this.#roots);
  }

  /** Of the root that signs, in hex. */
  get issuerKeyId(): string {
    return this.#issuer.hexKeyId;
  }

  get stage(): RotationStage {
    return stageOf(this.#roots);
  }

  /**
   * Changes the root by one step: `add` puts a second one into the bundle, `switch` signs with it, `retire` takes the first out. What
   * has been issued and who must know of the bundle first is the caller's to watch. Throws RotationRefusedError.
   */
  async rotateRoot(step: RotationStep): Promise<void> {
    const place = { folder: this.#folder, trustDomain: this.trustDomain, nowMs: this.#clock.now() };
    this.#roots = await takeStep(step, this.#roots, place);
    this.#issuer = issuerOf(this.#roots);
  }

  /** An X.509-SVID (X509-SVID.md). Throws IssueRefusedError. */
  issueSvid(request: SvidRequest): IssuedCertificate {
    this.#checkOwnId(request.spiffeId);
    return this.#issue({
      publicKey: 'csrPem' in request ? keyOfRequest(request.csrPem, request.spiffeId) : supportedKey(request.publicKey),
      subject: NO_SUBJECT,
      ttlSeconds: svidTtl(request.ttlSeconds ?? DEFAULT_SVID_TTL_SECONDS),
      extensions: [...LEAF, BOTH_PURPOSES, altNames({ uris: [request.spiffeId] }, 'critical')],
    });
  }

  /**
   * A joined node's one certificate: client of the API server as `system:node:<name>` of `system:nodes`, server of its agent by
   * SPIFFE id. `keyHash` tells its key. Throws IssueRefusedError.
   */
  issueNode({ csrPem, node, ttlSeconds }: NodeRequest): IssuedCertificate & { readonly keyHash: string } {
    const identity = {
      user: `system:node:${node}`,
      group: 'system:nodes',
      spiffeId: `spiffe://${this.trustDomain}/tutti/agent/${node}`,
    };
    this.#checkOwnId(identity.spiffeId);
    const { publicKey, keyHash } = keyOfNodeRequest(csrPem, identity);
    const issued = this.#issue({
      publicKey,
      subject: distinguishedName({ commonName: identity.user, organizations: [identity.group] }),
      ttlSeconds: nodeTtl(ttlSeconds ?? DEFAULT_NODE_TTL_SECONDS),
      extensions: [...LEAF, BOTH_PURPOSES, altNames({ uris: [identity.spiffeId] }, 'plain')],
    });
    return { ...issued, keyHash };
  }

  /** Key and certificate for a TLS server of the control plane or an agent. Names are for clients that know no SPIFFE. */
  issueServing({ dnsNames, ipAddresses, spiffeId }: ServingRequest): IssuedCredentials {
    if (spiffeId !== undefined) this.#checkOwnId(spiffeId);
    const uris = spiffeId === undefined ? [] : [spiffeId];
    return this.#issueWithKey({
      subject: distinguishedName({ commonName: dnsNames[0] ?? ipAddresses[0] ?? 'tutti' }),
      ttlSeconds: CREDENTIALS_TTL_SECONDS,
      extensions: [
        ...LEAF,
        spiffeId === undefined ? SERVER_ONLY : BOTH_PURPOSES,
        altNames({ uris, dnsNames, ipAddresses }, 'plain'),
      ],
    });
  }

  /** Key and certificate for a client of the API server. */
  issueClient({ user, groups, spiffeId }: ClientRequest): IssuedCredentials {
    if (spiffeId !== undefined) this.#checkOwnId(spiffeId);
    const identity = spiffeId === undefined ? [CLIENT_ONLY] : [BOTH_PURPOSES, altNames({ uris: [spiffeId] }, 'plain')];
    return this.#issueWithKey({
      subject: distinguishedName({ commonName: user, organizations: groups }),
      ttlSeconds: CREDENTIALS_TTL_SECONDS,
      extensions: [...LEAF, ...identity],
    });
  }

  #issueWithKey(leaf: Omit<Leaf, 'publicKey'>): IssuedCredentials {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return {
      ...this.#issue({ ...leaf, publicKey: publicKeyInfo(publicKey) }),
      privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    };
  }

  #issue({ publicKey, subject, ttlSeconds, extensions }: Leaf): IssuedCertificate {
    const nowMs = Math.floor(this.#clock.now() / 1000) * 1000;
    const notBeforeMs = nowMs - SKEW_MS;
    // A chain is valid only as long as all of it is (RFC 5280, section 6.1.3).
    const notAfterMs = Math.min(nowMs + ttlSeconds * 1000, this.#issuer.notAfterMs);
    const draft = {
      issuer: this.#issuer.name,
      subject,
      notBeforeMs,
      notAfterMs,
      publicKey,
      extensions: [...extensions, subjectKeyId(keyIdOf(publicKey)), this.#issuer.keyId],
    };
    return {
      certificateChainPem: toPem('CERTIFICATE', signCertificate(draft, this.#issuer.key)),
      notBeforeMs,
      notAfterMs,
    };
  }

  #checkOwnId(spiffeId: string): void {
    const id = parseSpiffeId(spiffeId);
    if (id === undefined || id.path === '' || id.trustDomain !== this.trustDomain) {
      throw new IssueRefusedError(
        'invalid-identity',
        `identity "${spiffeId}": is not a SPIFFE id with a path in trust domain "${this.trustDomain}"`,
      );
    }
  }
}

function issuerOf({ issuing: { key, certificate } }: Roots): Issuer {
  const keyId = keyIdOf(publicKeyInfo(certificate.publicKey));
  return {
    key,
    name: subjectOf(certificate.raw),
    keyId: authorityKeyId(keyId),
    hexKeyId: keyId.toString('hex'),
    notAfterMs: certificate.validToDate.getTime(),
  };
}

function keyOfRequest(csrPem: string, spiffeId: string): Der {
  const reading = readRequest(csrPem);
  if (!reading.ok) throw new IssueRefusedError(reading.problem, reading.detail);
  const stranger = reading.extensions.uris.find((uri) => uri !== spiffeId);
  if (stranger !== undefined) {
    throw new IssueRefusedError(
      'wrong-identity',
      `certificate request: asks for "${stranger.slice(0, 256)}", its sender is "${spiffeId}"`,
    );
  }
  return reading.publicKeyInfo;
}

function supportedKey(publicKey: KeyObject): Der {
  if (publicKey.type === 'public' && isSupportedKey(publicKey)) return publicKeyInfo(publicKey);
  throw new IssueRefusedError('unsupported-key', 'public key: is not on P-256 or P-384');
}

function svidTtl(ttlSeconds: number): number {
  return Math.min(soundTtl(ttlSeconds), MAX_SVID_TTL_SECONDS);
}

function nodeTtl(ttlSeconds: number): number {
  return Math.min(soundTtl(ttlSeconds), CREDENTIALS_TTL_SECONDS);
}

function soundTtl(ttlSeconds: number): number {
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < MIN_SVID_TTL_SECONDS) {
    throw new IssueRefusedError(
      'invalid-ttl',
      `time to live ${ttlSeconds} s: whole seconds, at least ${MIN_SVID_TTL_SECONDS}, are wanted`,
    );
  }
  return ttlSeconds;
}

function publicKeyInfo(key: KeyObject): Der {
  return decode(key.export({ type: 'spki', format: 'der' }));
}

/** The subject as it is written in a certificate: an issuer's name must repeat it byte by byte. */
function subjectOf(certificate: Uint8Array): Der {
  const [content] = itemsOf(decode(certificate), 'SEQUENCE');
  return itemsOf(content, 'SEQUENCE')[5] as Der;
}
