import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { createKeyAndCsr, type KeyAndCsr } from '../../certs/workload/key-and-csr.ts';
import { readTextIfPresent, writeFileAtomic } from '../../kit/disk.ts';

const membershipSchema = z.object({
  server: z.string(),
  nodeName: z.string(),
  trustDomain: z.string(),
  xdsAddress: z.string(),
  certificatePem: z.string(),
  keyPem: z.string(),
  caPem: z.string(),
  issuedAtMs: z.number(),
  expiresAtMs: z.number(),
});

/** What a machine has when it is a node: where its cluster is, and who it is there. */
export type Membership = Readonly<z.infer<typeof membershipSchema>>;

const SECRET = { mode: 0o600 };

/** The files of a join in an agent's state folder. */
export class MembershipFolder {
  readonly #folder: string;

  constructor(stateFolder: string) {
    this.#folder = stateFolder;
  }

  /** For who verifies the API server by a file: proxies. */
  get caFile(): string {
    return join(this.#folder, 'joined-ca.crt');
  }

  /** Undefined when the machine has not joined. Throws for a file that somebody has spoilt. */
  async read(): Promise<Membership | undefined> {
    const text = await readTextIfPresent(this.#path);
    if (text === undefined) return undefined;
    try {
      return membershipSchema.parse(JSON.parse(text));
    } catch (error) {
      throw new Error(`"${this.#path}": cannot be read; remove it to join again`, { cause: error });
    }
  }

  async write(membership: Membership): Promise<void> {
    await writeFileAtomic(this.caFile, membership.caPem);
    await writeFileAtomic(this.#path, `${JSON.stringify(membership)}\n`, SECRET);
    await rm(this.#pendingPath, { force: true });
  }

  /** A key whose request may have been sent already: who asks again with it gets what was lost on the way. */
  async pendingKey(spiffeId: string): Promise<KeyAndCsr> {
    const text = await readTextIfPresent(this.#pendingPath);
    const kept = text === undefined ? undefined : pendingSchema.safeParse(parsed(text)).data;
    if (kept?.spiffeId === spiffeId) return kept;
    const made = createKeyAndCsr(spiffeId);
    await writeFileAtomic(this.#pendingPath, `${JSON.stringify({ spiffeId, ...made })}\n`, SECRET);
    return made;
  }

  get #path(): string {
    return join(this.#folder, 'joined.json');
  }

  get #pendingPath(): string {
    return join(this.#folder, 'joining.json');
  }
}

const pendingSchema = z.object({ spiffeId: z.string(), privateKeyPem: z.string(), csrPem: z.string() });

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
