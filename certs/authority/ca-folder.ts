import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfPresent, writeFileAtomic } from '../../kit/disk.ts';
import { makeFolder } from '../../kit/make-folder.ts';
import { readCertificate } from '../x509/certificate.ts';
import { toPem } from '../x509/pem.ts';
import { AuthorityRefusedError } from './refusal.ts';
import { createRootCertificate, createRootKey } from './root.ts';

export interface Root {
  readonly key: KeyObject;
  readonly certificate: X509Certificate;
  readonly isNew: boolean;
}

export const KEY_FILE = 'ca.key';
export const CERTIFICATE_FILE = 'ca.crt';

/** Reads the root from its folder, or makes it there on the first start. Throws AuthorityRefusedError. */
export async function openRoot(folder: string, trustDomain: string, nowMs: number): Promise<Root> {
  makeFolder(folder, { mode: 0o700 });
  const keyPath = join(folder, KEY_FILE);
  const certificatePath = join(folder, CERTIFICATE_FILE);
  await refuseOthersWriting(folder);
  const keyPem = await readTextIfPresent(keyPath);
  const certificatePem = await readTextIfPresent(certificatePath);
  if (keyPem === undefined && certificatePem !== undefined) {
    throw new AuthorityRefusedError(
      keyPath,
      'missing-key',
      `is missing beside its certificate; put it back from a backup, or remove "${certificatePath}" to make a new authority (every identity is then issued anew)`,
    );
  }
  if (keyPem !== undefined) await refuseOthersReading(keyPath);
  const key = keyPem === undefined ? createRootKey() : readKey(keyPath, keyPem);
  if (keyPem === undefined) {
    await writeFileAtomic(keyPath, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  }
  // A key alone is what a crash between the two files leaves: its certificate is made again, and nothing is lost.
  const certificate =
    certificatePem === undefined
      ? new X509Certificate(createRootCertificate(key, trustDomain, nowMs))
      : readRootCertificate(certificatePath, certificatePem);
  if (certificatePem === undefined) await writeFileAtomic(certificatePath, toPem('CERTIFICATE', certificate.raw));
  refuseUnusable({ folder, trustDomain, nowMs }, key, certificate);
  return { key, certificate, isNew: certificatePem === undefined };
}

async function refuseOthersReading(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return;
  throw new AuthorityRefusedError(
    path,
    'open-permissions',
    `has mode ${octal(mode)}, 600 is wanted; run "chmod 600 ${path}", and if others may have read it, remove the folder to make a new authority`,
  );
}

async function refuseOthersWriting(folder: string): Promise<void> {
  const { mode } = await stat(folder);
  if ((mode & 0o022) === 0) return;
  throw new AuthorityRefusedError(
    folder,
    'open-permissions',
    `has mode ${octal(mode)}, others may write it; run "chmod 700 ${folder}"`,
  );
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8);
}

export function readKey(path: string, pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
    throw new Error(`is a key of type ${key.asymmetricKeyType}`);
  } catch (error) {
    throw unreadable(path, 'P-256 private key', error);
  }
}

export function readRootCertificate(path: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw unreadable(path, 'certificate', error);
  }
}

function unreadable(path: string, what: string, cause: unknown): AuthorityRefusedError {
  return new AuthorityRefusedError(
    path,
    'unreadable',
    `holds no ${what} in PEM (${(cause as Error).message}); put it back from a backup`,
    cause,
  );
}

interface Expected {
  readonly folder: string;
  readonly trustDomain: string;
  readonly nowMs: number;
}

function refuseUnusable({ folder, trustDomain, nowMs }: Expected, key: KeyObject, certificate: X509Certificate): void {
  if (!certificate.checkPrivateKey(key)) {
    throw new AuthorityRefusedError(
      folder,
      'mismatched-key',
      `${KEY_FILE} is not the key of ${CERTIFICATE_FILE}; put the pair back from one backup`,
    );
  }
  const { uris } = readCertificate(certificate.raw).extensions;
  if (uris.length !== 1 || uris[0] !== `spiffe://${trustDomain}`) {
    throw new AuthorityRefusedError(
      folder,
      'wrong-trust-domain',
      `is of "${uris.join(', ')}", "spiffe://${trustDomain}" is wanted; set the trust domain back, or choose another state folder`,
    );
  }
  if (certificate.validToDate.getTime() <= nowMs) {
    throw new AuthorityRefusedError(
      folder,
      'expired',
      `has expired at ${certificate.validTo}; remove the folder to make a new authority`,
    );
  }
}
