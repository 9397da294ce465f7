import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { program } from '../support/programs.ts';

export interface ServerCertificate {
  /** A file, for those who are to trust it. */
  readonly path: string;
  readonly cert: string;
  readonly key: string;
}

/** A certificate for a name, signed by itself. */
export async function certificateFor(name: string, folder: string): Promise<ServerCertificate> {
  const path = join(folder, `${name}.pem`);
  const keyPath = join(folder, `${name}.key`);
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
  const named = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', keyPath, '-out', path];
  await promisify(execFile)(program('openssl'), [...made, ...named]);
  return { path, cert: await readFile(path, 'utf8'), key: await readFile(keyPath, 'utf8') };
}
