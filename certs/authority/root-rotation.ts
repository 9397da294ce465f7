import { X509Certificate } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfPresent, writeFileAtomic } from '../../kit/disk.ts';
import { toPem } from '../x509/pem.ts';
import { CERTIFICATE_FILE, KEY_FILE, openRoot, type Root, readKey, readRootCertificate } from './ca-folder.ts';
import { RotationRefusedError } from './refusal.ts';
import { createRootCertificate, createRootKey } from './root.ts';

/**
 * steady: one root. distributing: a second one is in the bundle and signs nothing yet. overlap: the second one signs, and the first is
 * still in the bundle; its key is gone.
 */
export type RotationStage = 'steady' | 'distributing' | 'overlap';

/** What takes an authority from one stage to the next, in this order. */
export const ROTATION_STEPS = ['add', 'switch', 'retire'] as const;
export type RotationStep = (typeof ROTATION_STEPS)[number];

export interface Roots {
  /** Signs. */
  readonly issuing: Root;
  /** Will sign. */
  readonly next?: Root;
  /** Has signed. */
  readonly previous?: X509Certificate;
}

const NEXT_KEY_FILE = 'next.key';
const NEXT_CERTIFICATE_FILE = 'next.crt';
const PREVIOUS_FILE = 'previous.crt';

export function stageOf({ next, previous }: Roots): RotationStage {
  if (next !== undefined) return 'distributing';
  return previous === undefined ? 'steady' : 'overlap';
}

/** Issuing root first. */
export function bundleOf({ issuing, next, previous }: Roots): string {
  const all = [issuing.certificate, next?.certificate, previous].filter((root) => root !== undefined);
  return all.map(({ raw }) => toPem('CERTIFICATE', raw)).join('');
}

/** Reads the roots, or makes the first one. A switch that a crash cut short is finished. Throws AuthorityRefusedError. */
export async function openRoots(folder: string, trustDomain: string, nowMs: number): Promise<Roots> {
  const next = await readNext(folder);
  const previous = await readPrevious(folder);
  // Both are there only within a switch: see switchRoot.
  if (next !== undefined && previous !== undefined) await finishSwitch(folder, next);
  const issuing = await openRoot(folder, trustDomain, nowMs);
  return {
    issuing,
    ...(next === undefined || previous !== undefined ? {} : { next }),
    ...(previous === undefined ? {} : { previous }),
  };
}

/** Takes the step on disk and gives the roots after it. Throws RotationRefusedError where it is not the step that comes next. */
export async function takeStep(
  step: RotationStep,
  roots: Roots,
  { folder, trustDomain, nowMs }: { readonly folder: string; readonly trustDomain: string; readonly nowMs: number },
): Promise<Roots> {
  const stage = stageOf(roots);
  const wanted = { steady: 'add', distributing: 'switch', overlap: 'retire' }[stage];
  if (step !== wanted)
    throw new RotationRefusedError(step, `the CA is ${describe[stage]}; the step that comes next is "${wanted}"`);
  switch (step) {
    case 'add':
      return { ...roots, next: await addRoot(folder, trustDomain, nowMs) };
    case 'switch':
      return switchRoot(folder, roots);
    case 'retire':
      await rm(join(folder, PREVIOUS_FILE), { force: true });
      return { issuing: roots.issuing };
    default:
      return step satisfies never;
  }
}

const describe: Readonly<Record<RotationStage, string>> = {
  steady: 'in no rotation',
  distributing: 'distributing its next root',
  overlap: 'signing with its new root, and still trusted by the one before',
};

/** The certificate last: a key alone is made anew. */
async function addRoot(folder: string, trustDomain: string, nowMs: number): Promise<Root> {
  const key = createRootKey();
  const certificate = new X509Certificate(createRootCertificate(key, trustDomain, nowMs));
  await writeFileAtomic(join(folder, NEXT_KEY_FILE), key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFileAtomic(join(folder, NEXT_CERTIFICATE_FILE), toPem('CERTIFICATE', certificate.raw));
  return { key, certificate, isNew: true };
}

/** From the moment that `previous.crt` is there beside `next.crt`, the switch is made: what is left of it is done at the next start. */
async function switchRoot(folder: string, { issuing, next }: Roots): Promise<Roots> {
  if (next === undefined) throw new RotationRefusedError('switch', 'there is no next root');
  await writeFileAtomic(join(folder, PREVIOUS_FILE), toPem('CERTIFICATE', issuing.certificate.raw));
  await finishSwitch(folder, next);
  return { issuing: next, previous: issuing.certificate };
}

async function finishSwitch(folder: string, next: Root): Promise<void> {
  await writeFileAtomic(join(folder, KEY_FILE), next.key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFileAtomic(join(folder, CERTIFICATE_FILE), toPem('CERTIFICATE', next.certificate.raw));
  await rm(join(folder, NEXT_CERTIFICATE_FILE), { force: true });
  await rm(join(folder, NEXT_KEY_FILE), { force: true });
}

async function readNext(folder: string): Promise<Root | undefined> {
  const keyPath = join(folder, NEXT_KEY_FILE);
  const path = join(folder, NEXT_CERTIFICATE_FILE);
  const [keyPem, pem] = [await readTextIfPresent(keyPath), await readTextIfPresent(path)];
  if (keyPem === undefined || pem === undefined) return undefined;
  return { key: readKey(keyPath, keyPem), certificate: readRootCertificate(path, pem), isNew: false };
}

async function readPrevious(folder: string): Promise<X509Certificate | undefined> {
  const path = join(folder, PREVIOUS_FILE);
  const pem = await readTextIfPresent(path);
  return pem === undefined ? undefined : readRootCertificate(path, pem);
}
