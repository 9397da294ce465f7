import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import type { Credentials } from './http-client.ts';

/** What a kubeconfig's context says: where the API server is, whom to trust and who one is. */
export interface Connection {
  readonly context: string;
  readonly server: string;
  readonly caPem: string | undefined;
  readonly insecureSkipTlsVerify: boolean;
  readonly credentials: Credentials;
  /** `default` unless the context names one. */
  readonly namespace: string;
}

export interface KubeconfigOptions {
  /** Instead of current-context. */
  readonly context?: string | undefined;
}

const kubeconfigSchema = z.object({
  'current-context': z.string().optional(),
  contexts: z
    .array(
      z.object({
        name: z.string(),
        context: z.object({ cluster: z.string(), user: z.string().optional(), namespace: z.string().optional() }),
      }),
    )
    .nullish(),
  clusters: z
    .array(
      z.object({
        name: z.string(),
        cluster: z.object({
          server: z.string(),
          'certificate-authority': z.string().optional(),
          'certificate-authority-data': z.string().optional(),
          'insecure-skip-tls-verify': z.boolean().optional(),
        }),
      }),
    )
    .nullish(),
  users: z
    .array(
      z.object({
        name: z.string(),
        user: z
          .object({
            'client-certificate': z.string().optional(),
            'client-certificate-data': z.string().optional(),
            'client-key': z.string().optional(),
            'client-key-data': z.string().optional(),
            token: z.string().optional(),
            tokenFile: z.string().optional(),
            exec: z.unknown(),
            'auth-provider': z.unknown(),
          })
          .partial(),
      }),
    )
    .nullish(),
});

type User = NonNullable<z.infer<typeof kubeconfigSchema>['users']>[number]['user'];

/** Reads a kubeconfig file. Throws an Error that names the file and what is wrong with it. */
export async function readKubeconfig(path: string, options: KubeconfigOptions = {}): Promise<Connection> {
  try {
    return await connectionOf(await readFile(path, 'utf8'), { ...options, folder: dirname(resolve(path)) });
  } catch (error) {
    throw new Error(`kubeconfig ${path}: ${(error as Error).message}`, { cause: error });
  }
}

interface Source extends KubeconfigOptions {
  /** What relative paths within the file start from. */
  readonly folder: string;
}

async function connectionOf(text: string, source: Source): Promise<Connection> {
  const parsed = kubeconfigSchema.safeParse(parse(text));
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const { contexts, clusters, users } = parsed.data;
  const name = source.context ?? parsed.data['current-context'] ?? '';
  if (name === '') throw new Error('no current-context; name one with --context');
  const { context } = named(contexts ?? [], name, 'context');
  const { cluster } = named(clusters ?? [], context.cluster, 'cluster');
  const user = context.user === undefined ? {} : named(users ?? [], context.user, 'user').user;
  return {
    context: name,
    server: cluster.server,
    caPem: await content(cluster['certificate-authority-data'], cluster['certificate-authority'], source.folder),
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'] ?? false,
    credentials: await credentialsOf(user, source.folder),
    namespace: context.namespace ?? 'default',
  };
}

async function credentialsOf(user: User, folder: string): Promise<Credentials> {
  const { token, tokenFile } = user;
  if (token !== undefined) return { kind: 'token', token: () => token };
  if (tokenFile !== undefined) {
    return { kind: 'token', token: async () => (await readFile(resolve(folder, tokenFile), 'utf8')).trim() };
  }
  const certificatePem = await content(user['client-certificate-data'], user['client-certificate'], folder);
  const keyPem = await content(user['client-key-data'], user['client-key'], folder);
  if (certificatePem !== undefined && keyPem !== undefined) return { kind: 'certificate', certificatePem, keyPem };
  if (certificatePem !== undefined || keyPem !== undefined) {
    throw new Error('the user has one of client certificate and client key; both are needed');
  }
  if (user.exec !== undefined || user['auth-provider'] !== undefined) {
    throw new Error('credential plugins (exec, auth-provider) are not supported; use a token or a client certificate');
  }
  return { kind: 'anonymous' };
}

/** The inline data wins over the file, as in kubectl. */
async function content(
  data: string | undefined,
  path: string | undefined,
  folder: string,
): Promise<string | undefined> {
  if (data !== undefined && data !== '') return Buffer.from(data, 'base64').toString('utf8');
  return path === undefined || path === '' ? undefined : readFile(resolve(folder, path), 'utf8');
}

function named<T extends { readonly name: string }>(entries: readonly T[], name: string, what: string): T {
  const entry = entries.find((each) => each.name === name);
  if (entry !== undefined) return entry;
  const known = entries.map((each) => each.name).join(', ') || 'none';
  throw new Error(`no ${what} ${JSON.stringify(name)}; there is: ${known}`);
}

export interface NewKubeconfig {
  /** Of cluster, user and context. */
  readonly name: string;
  readonly server: string;
  readonly caPem: string;
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** The text of a kubeconfig with one cluster and one user, as kubectl reads it. */
export function formatKubeconfig({ name, server, caPem, certificatePem, keyPem }: NewKubeconfig): string {
  const base64 = (pem: string): string => Buffer.from(pem, 'utf8').toString('base64');
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': name,
      clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(caPem) } }],
      users: [
        {
          name,
          user: { 'client-certificate-data': base64(certificatePem), 'client-key-data': base64(keyPem) },
        },
      ],
      contexts: [{ name, context: { cluster: name, user: name } }],
    },
    { lineWidth: 0 },
  );
}
