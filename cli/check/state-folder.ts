import { X509Certificate } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfPresent } from '../../kit/disk.ts';
import { isRunning, type ProcessIdentity } from '../../kit/process.ts';
import { failed, named, type Outcome, ok, skipped, warning } from './finding.ts';

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

/** The kinds of processes that lock a state folder. */
const PROCESSES = ['up', 'control', 'agent'] as const;

/** Files that are as good as a password, wherever they are in the state folder. */
const SECRET_NAMES = /(\.key|kubeconfig|agent-serving\.json)$/;

export async function checkRunning(folder: string): Promise<Outcome> {
  const found: string[] = [];
  const stale: string[] = [];
  for (const kind of PROCESSES) {
    const holder = parseHolder(await readTextIfPresent(join(folder, `${kind}.lock`)));
    if (holder === undefined) continue;
    if (isRunning(holder)) found.push(`tutti ${kind} (process ${holder.pid})`);
    else stale.push(`tutti ${kind} (process ${holder.pid})`);
  }
  // `tutti up` holds all three.
  const [first] = found;
  if (first !== undefined) return ok(`${first.startsWith('tutti up') ? first : found.join(', ')} runs here`);
  if (stale.length > 0) {
    const hint = 'start it again in the same folder: it takes over the pods that run on';
    return warning(`nothing runs here, but ${stale[0]} did not end by itself`, hint);
  }
  return warning('nothing runs here', 'start with "tutti up -f FOLDER"');
}

export async function checkSecrets(folder: string): Promise<Outcome> {
  const secrets: string[] = [];
  for (const inside of ['', 'ca']) {
    const names = await readdir(join(folder, inside)).catch(() => [] as string[]);
    secrets.push(...names.filter((name) => SECRET_NAMES.test(name)).map((name) => join(inside, name)));
  }
  if (secrets.length === 0) return skipped('no keys and credentials yet');
  const loose: string[] = [];
  for (const name of secrets) if (((await stat(join(folder, name))).mode & 0o077) !== 0) loose.push(name);
  if (loose.length === 0) return ok(`${secrets.length} files of keys and credentials are their owner's alone`);
  return failed(`others can read ${named(loose)}`, `chmod 600 ${loose.map((name) => join(folder, name)).join(' ')}`);
}

export async function checkAuthority(folder: string, nowMs: number): Promise<Outcome> {
  const pem = await readTextIfPresent(join(folder, 'ca', 'ca.crt'));
  if (pem === undefined) return skipped('no certificate authority yet');
  return checkCertificate(
    'certificate authority',
    pem,
    nowMs,
    'see "tutti certs root" for how to replace it under load',
  );
}

/** Whether a certificate is valid now and for a while. */
export function checkCertificate(what: string, pem: string, nowMs: number, hint: string): Outcome {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (error) {
    return failed(`${what}: not a certificate (${(error as Error).message})`, hint);
  }
  const { validFromDate, validToDate } = certificate;
  if (validFromDate.getTime() > nowMs) {
    return failed(`${what}: not valid before ${validFromDate.toISOString()}`, 'set the clock of this machine right');
  }
  const days = Math.floor((validToDate.getTime() - nowMs) / DAY_MS);
  if (days < 0) return failed(`${what}: expired on ${validToDate.toISOString()}`, hint);
  const shown = `${what}: valid for ${days} more days`;
  return days < SOON_DAYS ? warning(shown, hint) : ok(shown);
}

function parseHolder(text: string | undefined): ProcessIdentity | undefined {
  try {
    return JSON.parse(text ?? '') as ProcessIdentity;
  } catch {
    return undefined;
  }
}
