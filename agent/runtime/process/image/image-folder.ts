import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ImageConfig, parseDockerfile } from './dockerfile.ts';
import { parseImageName } from './image-name.ts';

/** An image as a folder of the host: what it holds stands where the image's WORKDIR would be. */
export interface ImageFolder {
  readonly folder: string;
  readonly config: ImageConfig;
}

export type ImageLookup =
  | { readonly type: 'found'; readonly image: ImageFolder }
  | { readonly type: 'missing'; readonly lookedAt: readonly string[] }
  | { readonly type: 'broken'; readonly message: string }
  | { readonly type: 'invalid' };

/**
 * Finds `shop/catalog:v2` under each root as `shop/catalog/v2`, then `shop/catalog`; the first folder with a Dockerfile is
 * the image. Without a tag, `latest` stands for it.
 */
export async function findImage(image: string, roots: readonly string[]): Promise<ImageLookup> {
  const name = parseImageName(image);
  if (name === undefined) return { type: 'invalid' };
  const lookedAt: string[] = [];
  for (const root of roots) {
    for (const folder of [join(root, name.path, name.tag ?? 'latest'), join(root, name.path)]) {
      lookedAt.push(folder);
      const text = await readDockerfile(folder);
      if (text === undefined) continue;
      try {
        return { type: 'found', image: { folder, config: parseDockerfile(text) } };
      } catch (error) {
        return { type: 'broken', message: `${join(folder, 'Dockerfile')}: ${(error as Error).message}` };
      }
    }
  }
  return { type: 'missing', lookedAt };
}

async function readDockerfile(folder: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, 'Dockerfile'), 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
