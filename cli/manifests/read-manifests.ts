import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kind, KubeObject } from '../../api/kinds/kind.ts';
import { CommandError } from '../output/exit-codes.ts';
import { checkObject } from './check-object.ts';
import type { ManifestProblem } from './problem.ts';
import { type Place, readDocuments } from './yaml-documents.ts';

/** One object of a manifest, as its author wrote it: no defaults filled in. */
export interface ManifestDocument {
  readonly file: string;
  /** Which document of the file, from 0. */
  readonly index: number;
  readonly kind: Kind;
  readonly object: KubeObject;
  /** Where a field stands, or the nearest thing around it that is there. */
  readonly locate: (path: readonly (string | number)[]) => Place;
}

export interface Manifests {
  readonly documents: readonly ManifestDocument[];
  readonly problems: readonly ManifestProblem[];
}

/** `Deployment/web`, as problems and reports name a document. */
export function documentName({ kind, object }: Pick<ManifestDocument, 'kind' | 'object'>): string {
  return `${kind.kind}/${object.metadata.name}`;
}

// Far above any manifest that people write, and small enough to read whole.
const LARGEST_FILE_BYTES = 8 * 1024 * 1024;
const MANIFEST = /\.(?:ya?ml|json)$/;

/**
 * Reads files, the manifests that lie in folders (not in folders within), and `-` for standard input. Problems are
 * collected, not thrown; only a path that cannot be read throws CommandError.
 */
export async function readManifests(paths: readonly string[]): Promise<Manifests> {
  const documents: ManifestDocument[] = [];
  const problems: ManifestProblem[] = [];
  for (const path of paths) {
    for (const file of await filesOf(path)) {
      const content = await readContent(file);
      for (const read of readDocuments(file, content)) {
        problems.push(...read.problems);
        if (read.value === undefined) continue;
        const checked = checkObject(read.value, { file, index: read.index, locate: read.locate });
        problems.push(...checked.problems);
        if (checked.document !== undefined) documents.push(checked.document);
      }
    }
  }
  problems.push(...duplicates(documents));
  return { documents, problems };
}

async function filesOf(path: string): Promise<string[]> {
  if (path === '-') return ['-'];
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(
      `manifest "${path}": ${error.code === 'ENOENT' ? 'no such file or folder' : error.message}`,
      { cause: error },
    );
  });
  if (!found.isDirectory()) return [path];
  const files = (await readdir(path)).filter((name) => MANIFEST.test(name)).sort();
  if (files.length === 0) throw new CommandError(`manifest folder "${path}": holds no .yaml, .yml or .json file`);
  return files.map((name) => join(path, name));
}

async function readContent(file: string): Promise<string> {
  if (file === '-') return await readStandardInput();
  try {
    const { size } = await stat(file);
    if (size > LARGEST_FILE_BYTES)
      throw new CommandError(`manifest "${file}": ${size} bytes; at most ${LARGEST_FILE_BYTES} are read`);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`manifest "${file}": cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_FILE_BYTES)
      throw new CommandError(`standard input: more than the ${LARGEST_FILE_BYTES} bytes that are read`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The same object twice in what is applied together: whichever came last would win by accident. */
function duplicates(documents: readonly ManifestDocument[]): ManifestProblem[] {
  const first = new Map<string, ManifestDocument>();
  return documents.flatMap((document) => {
    const { kind, object, file, index } = document;
    const key = `${kind.group}/${kind.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, document);
      return [];
    }
    const at = earlier.locate(['metadata', 'name']);
    const message = `is in the manifests twice; the first is at ${earlier.file}:${at.line}`;
    return [
      {
        severity: 'error' as const,
        file,
        document: index,
        ...document.locate(['metadata', 'name']),
        subject: documentName(document),
        message,
      },
    ];
  });
}
